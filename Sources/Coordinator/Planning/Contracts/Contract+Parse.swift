import BuildModel
import CanonicalJSON

extension Contract {
  /// Reads a contract file of any generation; throws an error that names the file (and line) when it does not parse.
  ///
  /// Of contracts that describe neither block nor package list only the names are read: their other parts take many forms and matter to nobody here.
  package static func parse(_ bytes: [UInt8], file: String) throws(PlanningError) -> Contract {
    if let contract = try firstGeneration(bytes, file: file) { return contract }
    do {
      let head = try CanonicalJSON.decode(Head.self, from: bytes)
      var contract = Contract(slug: head.slug, type: head.type, aliases: [], requires: [], composedOf: [], file: file)
      if contract.isBlock || contract.type == "sw.image" {
        let defaults = try CanonicalJSON.decode(Defaults.self, from: bytes).data
        (contract.store, contract.rebootRequired) = (defaults?.store, defaults?.reboot)
      }
      if contract.isBlock || contract.type == "hw.device-type" {
        contract.aliases = try CanonicalJSON.decode(Aliases.self, from: bytes).aliases ?? []
      }
      if contract.isBlock {
        let body = try CanonicalJSON.decode(Body.self, from: bytes)
        contract.requires = (body.requires ?? []).map(\.requirement)
        contract.composedOf = body.composedOf ?? []
      } else if contract.isPackageList {
        let body = try CanonicalJSON.decode(PackageListBody.self, from: bytes)
        contract.requires = body.requires?.entries.map(\.requirement) ?? []
        contract.composedOf = body.composedOf ?? []
      }
      return contract
    } catch {
      throw JSONPlace.error(error, in: bytes, file: file)
    }
  }

  /// Reads a file of the first generation; nil when it has not its shape: an object with `contents.packages` and without `type` and `slug`.
  ///
  /// A block of it was an overlay. `any` among device types, versions or architectures is no constraint, nor is an absent or empty list.
  static func firstGeneration(_ bytes: [UInt8], file: String) throws(PlanningError) -> Contract? {
    guard let shape = try? CanonicalJSON.decode(FirstShape.self, from: bytes), shape.contents?.hasPackages == true, shape.type == nil,
      shape.slug == nil
    else { return nil }
    do {
      let plain = try CanonicalJSON.decode(First.self, from: bytes)
      func oneOf(_ values: [String]?, _ part: (String) -> Part) -> [Requirement] {
        guard let values, !values.isEmpty, !values.contains("any") else { return [] }
        return [Requirement(anyOf: values.map { .atom(part($0)) })]
      }
      return Contract(
        slug: plain.name, type: "sw.image.overlay", aliases: [],
        requires: oneOf(plain.deviceTypes) { Part(type: "hw.device-type", slug: $0) }
          + oneOf(plain.osVersions) { Part(type: "sw.os", slug: "balenaos", version: $0) }
          + oneOf(plain.architectures) { Part(type: "arch.sw", slug: $0) },
        composedOf: plain.contents.packages.map { Part(type: "sw.package.yocto.ipk", slug: $0) }, file: file)
    } catch {
      throw JSONPlace.error(error, in: bytes, file: file)
    }
  }

  private struct FirstShape: Decodable {
    struct Contents: Decodable {
      /// Of whatever kind: what is wrong with it is said by the second look.
      var hasPackages: Bool
      enum CodingKeys: CodingKey { case packages }
      init(from decoder: any Decoder) throws { hasPackages = try decoder.container(keyedBy: CodingKeys.self).contains(.packages) }
    }
    var contents: Contents?
    var type: String?
    var slug: String?
  }

  private struct First: Decodable {
    struct Contents: Decodable { var packages: [String] }
    var name: String
    var deviceTypes: [String]?
    var osVersions: [String]?
    var architectures: [String]?
    var contents: Contents
    enum CodingKeys: String, CodingKey {
      case name, architectures, contents
      case deviceTypes = "device-types"
      case osVersions = "os-versions"
    }
  }

  private struct Head: Decodable {
    var slug: String
    var type: String
  }
  private struct Aliases: Decodable { var aliases: [String]? }

  private struct Defaults: Decodable {
    var data: Values?

    struct Values: Decodable {
      var store: String?
      var reboot: String?
      enum CodingKeys: String, CodingKey {
        case store
        case reboot = "reboot-required"
      }
      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        store = try container.decodeIfPresent(String.self, forKey: .store)
        let flag = (try? container.decode(Bool.self, forKey: .reboot)).map { $0 ? "1" : "0" }
        reboot = try flag ?? container.decodeIfPresent(String.self, forKey: .reboot)
        guard reboot == nil || reboot == "0" || reboot == "1" else {
          throw DecodingError.dataCorruptedError(forKey: .reboot, in: container, debugDescription: "must be \"0\" or \"1\"")
        }
      }
    }
  }

  private struct Body: Decodable {
    var requires: [Entry]?
    var composedOf: [Part]?
  }

  private struct PackageListBody: Decodable {
    /// The real ones hold one object instead of a list.
    struct Entries: Decodable {
      var entries: [Entry]
      init(from decoder: any Decoder) throws {
        if let list = try? [Entry](from: decoder) { entries = list } else { entries = [try Entry(from: decoder)] }
      }
    }
    var requires: Entries?
    var composedOf: [Part]?
  }

  private struct Entry: Decodable {
    var allOf: [Entry]?
    var anyOf: [Entry]?
    var or: [Entry]?
    var not: [Entry]?
    var type: String?
    var slug: String?
    var externalVersion: String?
    var version: String?
    var data: [String: String]?

    var requirement: Requirement {
      Requirement(
        atom: type.map { Part(type: $0, slug: slug, externalVersion: externalVersion, version: version, data: data) },
        allOf: (allOf ?? []).map(\.requirement), anyOf: ((anyOf ?? []) + (or ?? [])).map(\.requirement), not: (not ?? []).map(\.requirement))
    }
  }
}
