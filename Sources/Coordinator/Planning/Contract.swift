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
  ///
  /// Of contracts that describe no block only name and defaults are read: their other parts take many forms and matter to nobody here.
  package static func parse(_ bytes: [UInt8], file: String) throws(PlanningError) -> Contract {
    do {
      let decoder = JSONDecoder()
      let head = try decoder.decode(Head.self, from: Data(bytes))
      var contract = Contract(
        slug: head.slug, type: head.type, aliases: head.aliases ?? [], requires: [], composedOf: [], store: head.data?.store,
        rebootRequired: head.data?.reboot, file: file)
      if contract.isBlock {
        let body = try decoder.decode(Body.self, from: Data(bytes))
        contract.requires = (body.requires ?? []).map(\.requirement)
        contract.composedOf = body.composedOf ?? []
      }
      return contract
    } catch {
      throw JSONProblem.error(error, in: bytes, file: file)
    }
  }

  private struct Head: Decodable {
    var slug: String
    var type: String
    var aliases: [String]?
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
        let flag = (try? container.decode(Bool.self, forKey: .reboot)).map { $0 ? "1" : "0" }
        reboot = flag ?? (try? container.decode(String.self, forKey: .reboot))
        guard reboot == nil || reboot == "0" || reboot == "1" else {
          throw DecodingError.dataCorruptedError(forKey: .reboot, in: container, debugDescription: "must be \"0\" or \"1\"")
        }
      }
    }
  }

  private struct Body: Decodable {
    var requires: [Entry]?
    var composedOf: [Part]?

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
