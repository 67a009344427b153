import BuildModel
import CanonicalJSON
import FoundationEssentials
import Planning

/// What a contract file says about a block that is made without a farm. Whether the contract fits the device type is not asked: that needs a
/// repository, and `blockfarm plan` answers it.
package struct StandaloneBlockContract: Sendable {
  package var name: BlockName
  package var packages: [PackageName]
  package var recipes: [RecipeName]
  package var labels: [String: String]

  private static let sizeLimit = 1 << 20

  /// Reads a block's `contract.json`; defaults of its labels come from the `sw.image` contract below `root`, where one is given.
  package init(file: String, root: String?) throws(ToolboxError) {
    let contract = try Self.contract(file)
    guard contract.isBlock else { throw .usage("\(file) is a contract of type '\(contract.type)', not of a block (sw.image.…)") }
    do {
      name = try BlockName(contract.slug)
      packages = try contract.packages.map { try PackageName($0) }
      recipes = try contract.recipes.map { try RecipeName($0) }
    } catch {
      throw .usage("\(file): \(error)")
    }
    guard !packages.isEmpty else { throw .usage("\(file): block \(name) lists no package (composedOf with type sw.package.yocto.ipk)") }
    var defaults: Contract?
    if let root {
      guard let path = Self.path(of: "sw.image", contract.imageClass, below: root) else {
        throw .usage("\(root) has no contract sw.image/\(contract.imageClass), which holds the defaults of \(file)")
      }
      defaults = try Self.contract(path)
    }
    labels = contract.imageLabels(defaults: defaults)
  }

  /// The architecture of a device type, from its contract (`data.arch`).
  package static func architecture(of slug: String, root: String) throws(ToolboxError) -> Architecture {
    struct DeviceTypeContract: Decodable {
      struct Facts: Decodable { var arch: String? }
      var data: Facts?
    }
    guard let name = try? Slug(slug), let path = path(of: "hw.device-type", name.text, below: root) else {
      throw .usage("\(root) has no contract hw.device-type/\(slug)")
    }
    let found: DeviceTypeContract
    let content = try bytes(path)
    do { found = try CanonicalJSON.decode(DeviceTypeContract.self, from: content) } catch { throw .usage("\(path): \(error)") }
    guard let text = found.data?.arch, let architecture = Architecture(rawValue: text) else {
      throw .usage("\(path): data.arch '\(found.data?.arch ?? "")' is none of \(Architecture.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return architecture
  }

  /// `<root>/<type>/<slug>/contract.json`, or below `<root>/contracts`, as balena's own repositories have it.
  private static func path(of type: String, _ slug: String, below root: String) -> String? {
    guard let place = RelativePath("\(type)/\(slug)/contract.json") else { return nil }
    return ["\(root)/\(place)", "\(root)/contracts/\(place)"].first { FileManager.default.fileExists(atPath: $0) }
  }

  private static func contract(_ path: String) throws(ToolboxError) -> Contract {
    do { return try Contract.parse(try bytes(path), file: path) } catch { throw .usage("\(error)") }
  }

  private static func bytes(_ path: String) throws(ToolboxError) -> [UInt8] {
    do {
      let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
      guard size <= sizeLimit else { throw ToolboxError.usage("\(path) has \(size) bytes: no contract") }
      return Array(try Data(contentsOf: URL(filePath: path)))
    } catch let error as ToolboxError {
      throw error
    } catch {
      throw .usage("\(path) cannot be read: \(error.localizedDescription)")
    }
  }
}
