import BuildModel
import CanonicalJSON

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
          if try container.decodeNil(forKey: key) { continue }
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

  /// Reads a generated `<file>.json`; nil when it is some other JSON file (no object with a `yocto` section).
  static func json(_ bytes: [UInt8], path: String) throws(PlanningError) -> ManifestFields? {
    if bytes.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "[") { return nil }
    do {
      let section = try CanonicalJSON.decode(Section.self, from: bytes)
      guard let yocto = section.yocto else { return nil }
      return ManifestFields(top: section.values, yocto: yocto, line: { JSONPlace.line(ofKey: $0, in: bytes) })
    } catch {
      throw JSONPlace.error(error, in: bytes, file: path)
    }
  }
}
