import BuildModel
import FoundationEssentials

/// A contract as a device repository holds it (`contract.json`), of the kinds that matter to planning.
package struct Contract: Hashable, Sendable {
  package struct Part: Codable, Hashable, Sendable {
    package var type: String
    package var slug: String?
    /// A semver range or codename (since 2021-12); before, `version` held it.
    package var externalVersion: String?
    package var version: String?
  }
  /// One entry of `requires`: its parts are alternatives, conjunctions, exclusions, or a bare atom.
  package struct Requirement: Hashable, Sendable {
    package var allOf: [Part]
    package var anyOf: [Part]
    package var not: [Part]
  }

  package var slug: String
  package var type: String
  package var aliases: [String]
  package var requires: [Requirement]
  package var composedOf: [Part]
  /// `data.store` and `data.reboot-required`, where given.
  package var store: String?
  package var rebootRequired: String?
  /// The file it was read from.
  package var file: String

  /// Whether this describes a hostOS block (`sw.image.overlay`, `sw.image.service`, …).
  package var isBlock: Bool { type.hasPrefix("sw.image.") }
  /// The image class that the type stands for: `overlay` or `service`.
  package var imageClass: String { String(type.dropFirst("sw.image.".count)) }
  package var recipes: [String] { composedOf.filter { $0.type == "sw.recipe.yocto" }.compactMap(\.slug) }
  package var packages: [String] { composedOf.filter { $0.type == "sw.package.yocto.ipk" }.compactMap(\.slug) }

  /// Reads a contract file; throws an error that names the file (and line) when it does not parse.
  package static func parse(_ bytes: [UInt8], file: String) throws(PlanningError) -> Contract {
    do {
      let document = try JSONDecoder().decode(Document.self, from: Data(bytes))
      return Contract(
        slug: document.slug, type: document.type, aliases: document.aliases ?? [],
        requires: (document.requires ?? []).map(\.requirement), composedOf: document.composedOf ?? [],
        store: document.data?.store, rebootRequired: document.data?.reboot, file: file)
    } catch {
      throw JSONProblem.error(error, file: file)
    }
  }

  private struct Document: Decodable {
    var slug: String
    var type: String
    var aliases: [String]?
    var requires: [Entry]?
    var composedOf: [Part]?
    var data: Defaults?

    struct Defaults: Decodable {
      var store: String?
      var reboot: String?
      enum CodingKeys: String, CodingKey {
        case store
        case reboot = "reboot-required"
      }
      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        store = try? container.decode(String.self, forKey: .store)
        reboot = try? container.decode(String.self, forKey: .reboot)
      }
    }

    struct Entry: Decodable {
      var allOf: [Part]?
      var anyOf: [Part]?
      var or: [Part]?
      var not: [Part]?
      var type: String?
      var slug: String?
      var externalVersion: String?
      var version: String?

      var requirement: Requirement {
        var all = allOf ?? []
        if let type { all.append(Part(type: type, slug: slug, externalVersion: externalVersion, version: version)) }
        return Requirement(allOf: all, anyOf: (anyOf ?? []) + (or ?? []), not: not ?? [])
      }
    }
  }
}
