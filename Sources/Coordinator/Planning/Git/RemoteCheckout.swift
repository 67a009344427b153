import BuildModel
import CoordinatorConfiguration
import FoundationEssentials

/// A clone of a repository's URL, or of a local repository at a pinned ref, in the state directory. Synchronous; reads the network.
enum RemoteCheckout {
  /// Whether a repository is built from a clone of ours instead of the checkout that it names.
  static func isNeeded(_ repository: FarmConfiguration.Repository) -> Bool {
    repository.source.contains("://") || repository.source.contains("@") || repository.ref != nil
  }

  /// Clones, or brings the clone up to date, and gives its path.
  static func make(_ repository: FarmConfiguration.Repository, state: String) throws(PlanningError) -> String {
    let directory = state + "/repositories"
    do { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) } catch {
      throw .git(repository: repository.name, operation: "clone", reason: "\(directory) cannot be made: \(error)", blame: .coordinator)
    }
    let path = directory + "/" + repository.name
    func git(_ arguments: [String], in place: String) throws(PlanningError) {
      _ = try GitCommand.run(
        ["-c", "protocol.file.allow=always"] + arguments, in: place, repository: repository.name, limitSeconds: 3600,
        passing: ["HOME", "SSH_AUTH_SOCK"])
    }
    if !FileManager.default.fileExists(atPath: path + "/.git") {
      try git(["clone", "--quiet", "--no-checkout", "--", repository.source, repository.name], in: directory)
    } else {
      // farm.yaml may name another URL than the day before.
      try git(["remote", "set-url", "origin", repository.source], in: path)
      try git(["fetch", "--quiet", "--force", "--tags", "origin"], in: path)
    }
    let ref = repository.ref ?? "HEAD"
    do {
      try git(["checkout", "--quiet", "--force", "--detach", "origin/" + ref], in: path)
    } catch {
      try git(["checkout", "--quiet", "--force", "--detach", ref], in: path)
    }
    // Builds take the first level. Submodules of submodules are taken where they can be had; where not, the plan says so.
    try git(["submodule", "sync", "--quiet"], in: path)
    try git(["submodule", "update", "--quiet", "--init", "--force"], in: path)
    _ = try? git(["submodule", "update", "--quiet", "--init", "--recursive", "--force"], in: path)
    return path
  }
}
