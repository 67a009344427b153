import BuildModel
import Glibc

/// What a device repository's file `balena.yml` says of its releases: the contract that the hostapp's release carries.
enum ReleaseContract {
  static let file = "balena.yml"

  /// Reads the file in the repository's root; nil where there is none.
  static func read(_ directory: String) throws(PlanningError) -> CompositionValue? {
    let path = directory + "/" + file
    guard access(path, F_OK) == 0 else { return nil }
    return try CompositionDocument.parse(try RepositoryFiles.contents(path), file: path).value
  }
}
