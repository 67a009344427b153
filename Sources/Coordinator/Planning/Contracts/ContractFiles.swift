import BuildModel
import CanonicalJSON
import Glibc

/// Finds the contracts of a checkout.
struct ContractFiles {
  /// The checkout.
  let root: String
  private(set) var found: [Contract] = []
  /// Files that are contracts and cannot be read.
  private(set) var problems: [PlanningError] = []
  private(set) var notices: [String] = []
  private var seen: Set<String> = []

  init(root: String) { self.root = root }

  /// Searches one contract root, a directory below the checkout; one that does not exist holds none. A root may lie inside another one.
  mutating func collect(below directory: String) { collect(directory, depth: 0) }

  /// Leaves contracts out, by their paths below the checkout.
  mutating func remove(_ files: [String]) { found.removeAll { contract in files.contains { contract.file == "\(root)/\($0)" } } }

  /// Whether a contract was found in a root that was searched, be it one that cannot be read.
  func holdsContract(below directory: String) -> Bool {
    found.contains { $0.file.hasPrefix("\(root)/\(directory)/") } || problems.contains { $0.description.hasPrefix("\(root)/\(directory)/") }
  }

  private mutating func collect(_ directory: String, depth: Int) {
    // A contracts tree is three levels deep; links are not followed, so this ends.
    guard depth < 12, RepositoryFiles.isDirectory(root + "/" + directory) else { return }
    let names: [String]
    do throws(PlanningError) { names = try RepositoryFiles.names(root + "/" + directory) } catch {
      problems.append(error)
      return
    }
    for name in names where !name.hasPrefix(".") {
      let relative = directory + "/" + name
      let path = root + "/" + relative
      if RepositoryFiles.isDirectory(path) {
        collect(relative, depth: depth + 1)
      } else if name.hasSuffix(".json"), seen.insert(path).inserted {
        do throws(PlanningError) {
          if name == "contract.json" { try add(path, in: directory, beside: names) } else { try addFirstGeneration(path, relative) }
        } catch {
          problems.append(error)
        }
      }
    }
  }

  private mutating func add(_ path: String, in directory: String, beside names: [String]) throws(PlanningError) {
    var contract = try Contract.parse(try RepositoryFiles.contents(path), file: path)
    if names.contains("Dockerfile") { contract.dockerfileDirectory = RelativePath(directory) }
    contract.hasDockerfileTemplate = names.contains("Dockerfile.template")
    found.append(contract)
  }

  /// Other JSON files lie among contracts too; only what has the shape of a contract is one.
  private mutating func addFirstGeneration(_ path: String, _ relative: String) throws(PlanningError) {
    let bytes = try RepositoryFiles.contents(path)
    if let contract = try Contract.firstGeneration(bytes, file: path) {
      found.append(contract)
    } else if let (line, reason) = CanonicalJSON.syntaxProblem(in: bytes) {
      notices.append("\(relative):\(line) is not JSON, so it is no contract: \(reason)")
    }
  }
}
