import BoundedConcurrency
import BuildModel
import CoordinatorConfiguration
import FoundationEssentials

/// Makes the configured repositories readable: local checkouts as they are, URLs and pinned refs as clones in the state directory.
package enum RepositoryCheckout {
  /// More would only wait for a processor.
  private static let width = 16

  /// Reads the repositories at the same time; the first failure is thrown. A submodule to replace must be in one of them.
  package static func readAll(
    _ configuration: FarmConfiguration, allowDirty: Bool, submodule: SubmoduleRef? = nil
  ) async throws -> [DeviceRepository] {
    guard !configuration.repositories.isEmpty else {
      throw PlanningError.nothingSelected(
        configuration.file.map { "\($0) lists no device repository: add one under 'repositories'" }
          ?? "there is no farm.yaml here, nor /etc/blockfarm/farm.yaml: write one, or name it with --config")
    }
    let state = configuration.state
    let repositories = try await configuration.repositories.concurrentMap(atOnce: width) { repository in
      try await BlockingWork.run {
        var source = try source(repository, state: state)
        if let replacement = try submodule?.resolve(in: source) { source.replacements = [replacement] }
        return try RepositoryReader.read(source, allowDirty: allowDirty)
      }
    }
    if let submodule, !repositories.isEmpty, repositories.allSatisfy({ $0.source.replacements.isEmpty }) {
      throw PlanningError.submodule(
        "'\(submodule.ref)' cannot be built: no repository has a submodule \(submodule.path) (\(repositories.map(\.source.name).joined(separator: ", ")))"
      )
    }
    return repositories
  }

  private static func source(_ repository: FarmConfiguration.Repository, state: String) throws -> RepositorySource {
    let isURL = repository.source.contains("://") || repository.source.contains("@")
    guard isURL || repository.ref != nil else {
      return RepositorySource(
        name: repository.name, path: repository.source, driver: repository.driver, contracts: repository.contractDirectories,
        demandsContracts: repository.contracts != nil)
    }
    let directory = state + "/repositories"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let path = directory + "/" + repository.name
    func git(_ arguments: [String], in place: String) throws {
      _ = try GitCommand.run(
        ["-c", "protocol.file.allow=always"] + arguments, in: place, repository: repository.name, limitSeconds: 3600,
        passing: ["HOME", "SSH_AUTH_SOCK"])
    }
    if !FileManager.default.fileExists(atPath: path + "/.git") {
      try git(["clone", "--quiet", "--no-checkout", "--", repository.source, repository.name], in: directory)
    } else {
      try git(["fetch", "--quiet", "--force", "--tags", "origin"], in: path)
    }
    let ref = repository.ref ?? "HEAD"
    do {
      try git(["checkout", "--quiet", "--force", "--detach", "origin/" + ref], in: path)
    } catch {
      try git(["checkout", "--quiet", "--force", "--detach", ref], in: path)
    }
    try git(["submodule", "update", "--quiet", "--init", "--recursive", "--force"], in: path)
    return RepositorySource(
      name: repository.name, path: path, driver: repository.driver, contracts: repository.contractDirectories,
      demandsContracts: repository.contracts != nil)
  }
}
