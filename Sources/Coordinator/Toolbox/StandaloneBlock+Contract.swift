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

  /// Reads a block's `contract.json`; defaults of its labels come from the `sw.image` contract of the trees, where there are any.
  package init(file: String, trees: ContractTrees) throws(ToolboxError) {
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
    if !trees.isEmpty {
      guard let path = trees.path(of: "sw.image", contract.imageClass) else {
        throw .usage(
          "\(trees.description) has no contract sw.image/\(contract.imageClass), which holds the defaults of \(file); --contracts may be repeated")
      }
      defaults = try Self.contract(path)
    }
    labels = contract.imageLabels(defaults: defaults)
  }

  private static func contract(_ path: String) throws(ToolboxError) -> Contract {
    do { return try Contract.parse(try ContractTrees.bytes(path), file: path) } catch { throw .usage("\(error)") }
  }
}
