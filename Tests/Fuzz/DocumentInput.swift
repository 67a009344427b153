import FoundationEssentials

/// JSON documents.
enum DocumentInput {
  /// What is accepted, written and read again, is the same.
  static func roundTrip<Document: Decodable & Equatable>(_ type: Document.Type, _ bytes: [UInt8], encode: (Document) throws -> [UInt8]) {
    guard let document = try? JSONDecoder().decode(type, from: Data(bytes)) else { return }
    guard let written = try? encode(document) else { return }
    let again = try? JSONDecoder().decode(type, from: Data(written))
    demand(again == document, "\(type) written and read again is the same")
  }
}
