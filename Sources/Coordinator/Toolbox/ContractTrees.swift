import BuildModel
import FoundationEssentials
import Planning

/// Directories with contracts, one directory a type and one a slug, for commands without a farm. The first tree that has a contract wins.
package struct ContractTrees: Sendable {
  private let named: [String]
  /// Where the directories of the types may be.
  private let roots: [String]

  private static let sizeLimit = 1 << 20
  /// Contracts of one type at most that are looked through for an alias.
  private static let contractLimit = 10_000

  /// Every root must hold a contract: `<type>/<slug>/contract.json` in it, or below its `contracts`, as balena's own repositories have it.
  package init(_ roots: [String]) throws(ToolboxError) {
    named = roots
    self.roots = roots.flatMap { [$0, $0 + "/contracts"] }
    for root in roots {
      guard Self.names(root) != nil else { throw .usage("--contracts \(root): there is no such directory") }
      guard [root, root + "/contracts"].contains(where: Self.holdsContracts) else {
        throw .usage(
          "--contracts \(root): it holds no contract (<type>/<slug>/contract.json); is it the directory above the types, such as hw.device-type?")
      }
    }
  }

  package var isEmpty: Bool { named.isEmpty }
  /// For messages.
  var description: String { named.joined(separator: ", ") }

  /// A contract's file, nil where no tree has it.
  func path(of type: String, _ slug: String) -> String? {
    guard let place = RelativePath("\(type)/\(slug)/contract.json") else { return nil }
    return roots.map { "\($0)/\(place)" }.first { FileManager.default.fileExists(atPath: $0) }
  }

  /// A device type by its slug or an alias.
  package func deviceType(_ text: String) throws(ToolboxError) -> DeviceTypeContract {
    if let slug = try? Slug(text), let path = path(of: "hw.device-type", slug.text) { return try DeviceTypeContract(path, slug: slug.text) }
    var known: [String] = []
    var found: [DeviceTypeContract] = []
    for root in roots {
      for slug in Self.names(root + "/hw.device-type")?.prefix(Self.contractLimit) ?? [] where !known.contains(slug) {
        let path = "\(root)/hw.device-type/\(slug)/contract.json"
        guard FileManager.default.fileExists(atPath: path) else { continue }
        known.append(slug)
        // A broken contract of another device type is nobody's business here.
        if let contract = try? DeviceTypeContract(path, slug: slug), contract.aliases.contains(text) { found.append(contract) }
      }
    }
    if let only = found.first, found.count == 1 { return only }
    guard found.isEmpty else {
      throw .usage("'\(text)' is an alias of several device types: \(found.map(\.slug).sorted().joined(separator: ", ")); name one of them")
    }
    let near = NearestNames.of(text, among: known)
    throw .usage(
      "\(description) has no contract hw.device-type/\(text), and no device type with that alias"
        + (near.isEmpty ? "" : "; nearest: \(near.joined(separator: ", "))"))
  }

  static func bytes(_ path: String) throws(ToolboxError) -> [UInt8] {
    do {
      let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
      guard size <= sizeLimit else { throw ToolboxError.usage("\(path) has \(Counted(size, "byte")): no contract") }
      return Array(try Data(contentsOf: URL(filePath: path)))
    } catch let error as ToolboxError {
      throw error
    } catch {
      throw .usage("\(path) cannot be read: \(error.localizedDescription)")
    }
  }

  private static func names(_ directory: String) -> [String]? { try? FileManager.default.contentsOfDirectory(atPath: directory).sorted() }

  private static func holdsContracts(_ root: String) -> Bool {
    (names(root) ?? []).contains { type in
      (names("\(root)/\(type)") ?? []).contains { FileManager.default.fileExists(atPath: "\(root)/\(type)/\($0)/contract.json") }
    }
  }
}

/// What a `hw.device-type` contract says that a block needs.
package struct DeviceTypeContract: Sendable {
  package let slug: String
  package let architecture: Architecture
  let aliases: [String]

  init(_ path: String, slug: String) throws(ToolboxError) {
    struct Document: Decodable {
      struct Facts: Decodable { var arch: String? }
      var data: Facts?
      var aliases: [String]?
    }
    let found: Document
    do { found = try WorkerProtocol.decode(Document.self, from: try ContractTrees.bytes(path)) } catch { throw .usage("\(path): \(error)") }
    guard let text = found.data?.arch, let architecture = Architecture(rawValue: text) else {
      throw .usage("\(path): data.arch '\(found.data?.arch ?? "")' is none of \(Architecture.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.slug = slug
    self.architecture = architecture
    aliases = found.aliases ?? []
  }
}
