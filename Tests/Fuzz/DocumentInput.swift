import FoundationEssentials

@testable import Planning

/// JSON documents.
enum DocumentInput {
  /// What is accepted, written and read again, is the same.
  static func roundTrip<Document: Decodable & Equatable>(_ type: Document.Type, _ bytes: [UInt8], encode: (Document) throws -> [UInt8]) {
    guard let document = try? JSONDecoder().decode(type, from: Data(bytes)) else { return }
    guard let written = try? encode(document) else { return }
    let again = try? JSONDecoder().decode(type, from: Data(written))
    demand(again == document, "\(type) written and read again is the same")
  }

  /// What is accepted as a composition has a hostapp, and its JSON form is the same composition.
  static func composition(_ bytes: [UInt8]) {
    guard let composition = try? Composition.merge(base: .parse(bytes, file: "acme.hostapp.yml"), overlay: nil) else { return }
    demand(composition.services.contains(where: \.isHostapp), "a composition has a hostapp")
    guard let written = try? JSONEncoder().encode(composition) else { return }
    let again = try? JSONDecoder().decode(Composition.self, from: written)
    demand(again == composition, "a composition written and read again is the same")
  }
}
