import BuildModel
import FoundationEssentials

extension ManifestFields {
  private struct Section: Decodable {
    var values: [String: Value] = [:]
    var yocto: [String: Value]?

    struct Key: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      for key in container.allKeys {
        if key.stringValue == "yocto" {
          yocto = try container.decode(Section.self, forKey: key).values
        } else if let text = try? container.decode(String.self, forKey: key) {
          values[key.stringValue] = .text(text)
        } else if let flag = try? container.decode(Bool.self, forKey: key) {
          values[key.stringValue] = .flag(flag)
        } else if let list = try? container.decode([String].self, forKey: key) {
          values[key.stringValue] = .list(list)
        }
      }
    }
  }

  /// Reads a generated `<file>.json`; nil when it is some other JSON file (no `yocto` section).
  static func json(_ bytes: [UInt8], path: String) throws(PlanningError) -> ManifestFields? {
    do {
      let section = try JSONDecoder().decode(Section.self, from: Data(bytes))
      guard let yocto = section.yocto else { return nil }
      return ManifestFields(top: section.values, yocto: yocto)
    } catch {
      throw JSONProblem.error(error, file: path)
    }
  }
}

/// Turns a decoding error into one that names file and line.
enum JSONProblem {
  static func error(_ error: any Error, file: String) -> PlanningError {
    guard let error = error as? DecodingError else { return .unreadable(file: file, line: nil, reason: "\(error)") }
    switch error {
    case .dataCorrupted(let context) where context.codingPath.isEmpty:
      let text = context.underlyingError.map { "\($0)" } ?? context.debugDescription
      return .unreadable(file: file, line: line(in: text), reason: "is not JSON: \(summary(text))")
    case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context):
      let place = context.codingPath.map(\.stringValue).joined(separator: ".")
      return .unreadable(file: file, line: nil, reason: "\(place.isEmpty ? "document" : "'\(place)'"): \(context.debugDescription)")
    @unknown default: return .unreadable(file: file, line: nil, reason: "\(error)")
    }
  }

  private static func line(in text: String) -> Int? {
    guard let range = text.firstRange(of: "line ") else { return nil }
    return Int(text[range.upperBound...].prefix { $0.isNumber })
  }

  private static func summary(_ text: String) -> String {
    guard let start = text.firstRange(of: "NSDebugDescription=")?.upperBound else { return String(text.prefix(200)) }
    return String(text[start...].prefix { $0 != "}" }.prefix(200))
  }
}
