import BoundedConcurrency
import BuildModel
import CoordinatorConfiguration
import FoundationEssentials

/// Makes the configured repositories readable: local checkouts as they are, URLs and pinned refs as clones in the state directory.
package enum RepositoryCheckout {
  /// More would only wait for a processor.
  private static let width = 16

  /// Reads what a request needs, at the same time: the manifests of the repositories that it allows, then the rest of those with a device type of it.
  ///
  /// A repository that cannot be read is part of the result. Throws where the request names what is not there.
  package static func read(
    _ configuration: FarmConfiguration, for request: PlanRequest, allowDirty: Bool, submodule: SubmoduleRef? = nil
  ) async throws -> [RepositoryReading] {
    guard !configuration.repositories.isEmpty else {
      throw PlanningError.nothingSelected(
        configuration.file.map { "\($0) lists no device repository: add one under 'repositories'" }
          ?? "there is no farm.yaml here, nor /etc/blockfarm/farm.yaml: write one, or name it with --config")
    }
    try DeviceTypeSelection.check(request.repositories, among: configuration.repositories.map(\.name))
    let state = configuration.state
    let changes = allowDirty ? UncommittedChanges.built(in: state + "/changes") : .refused
    let wanted = configuration.repositories.filter { request.repositories.isEmpty || request.repositories.contains($0.name) }
    let listed = try await wanted.concurrentMap(atOnce: width) { repository in
      try await BlockingWork.run { list(repository, state: state) }
    }
    let selection = try DeviceTypeSelection(listed.map(\.listing), for: request)
    let selected = try selection.select(unread: listed.compactMap(\.error))
    let needed = listed.indices.filter { selected.repositories.contains($0) && listed[$0].error == nil }
    let read = try await needed.concurrentMap(atOnce: width) { index in
      try await BlockingWork.run { (index, self.read(listed[index], changes: changes, submodule: submodule)) }
    }
    var readings = listed.compactMap { item in
      item.error.map { RepositoryReading.unusable(UnusableRepository(listing: item.listing, error: $0)) }
    }
    readings += read.sorted { $0.0 < $1.0 }.map(\.1)
    if let submodule { try check(submodule, in: readings) }
    return readings
  }

  /// Whether reading makes something in the state directory: clones, or commits of uncommitted changes.
  package static func writesState(_ configuration: FarmConfiguration, allowDirty: Bool) -> Bool {
    allowDirty || configuration.repositories.contains(where: RemoteCheckout.isNeeded)
  }

  /// A repository of which the manifests were looked at, or could not be.
  private struct Listed: Sendable {
    var source: RepositorySource
    var listing: RepositoryListing
    var error: PlanningError?
  }

  private static func list(_ repository: FarmConfiguration.Repository, state: String) -> Listed {
    var source = RepositorySource(
      name: repository.name, path: repository.source, driver: repository.driver, contracts: repository.contractDirectories,
      demandsContracts: repository.contracts != nil, isPreferred: repository.isPreferred)
    do throws(PlanningError) {
      if RemoteCheckout.isNeeded(repository) { source.path = try RemoteCheckout.make(repository, state: state) }
      return Listed(source: source, listing: try RepositoryReader.list(source), error: nil)
    } catch {
      return Listed(source: source, listing: RepositoryListing(name: repository.name), error: error)
    }
  }

  private static func read(_ listed: Listed, changes: UncommittedChanges, submodule: SubmoduleRef?) -> RepositoryReading {
    var source = listed.source
    do throws(PlanningError) {
      if let replacement = try submodule?.resolve(in: source) { source.replacements = [replacement] }
      return .usable(try RepositoryReader.read(source, changes: changes))
    } catch {
      return .unusable(UnusableRepository(listing: listed.listing, version: try? GitState.version(of: source), error: error))
    }
  }

  /// A submodule that is to be built at another commit must be in one of the repositories.
  private static func check(_ submodule: SubmoduleRef, in readings: [RepositoryReading]) throws(PlanningError) {
    let read = readings.compactMap { reading in if case .usable(let repository) = reading { repository.source } else { nil } }
    guard !read.isEmpty, read.allSatisfy({ $0.replacements.isEmpty }) else { return }
    throw .submodule(
      "'\(submodule.ref)' cannot be built: no repository has a submodule \(submodule.path) (\(read.map(\.name).joined(separator: ", ")))")
  }
}
