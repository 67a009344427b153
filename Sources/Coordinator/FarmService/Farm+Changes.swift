import BoundedConcurrency
import BuildModel
import CanonicalJSON
import Planning
import Store

extension Farm {
  /// Removes the commits of uncommitted changes that no unfinished request builds. `done` are the places of a plan that has just been worked off.
  func pruneChanges(done plan: Plan? = nil) async throws {
    var needed: Set<CommitID> = []
    for request in try await context.store.unfinishedRequests() {
      for task in try await context.store.tasks(of: request.id) where !task.planned.isEmpty {
        // Of a plan that this version cannot read, the source alone is enough.
        guard let source = try? CanonicalJSON.decode(PlannedSource.self, from: task.planned).source else { continue }
        needed.formUnion([source.root.commit] + source.submodules.map(\.tree.commit))
      }
    }
    let (repositories, places) = (ChangesRepositories(state: context.configuration.state), Set(plan?.locations.map(\.path) ?? []))
    let keep = needed
    try await BlockingWork.run { _ = repositories.prune(keeping: keep, done: places) }
  }

  private struct PlannedSource: Decodable { var source: SourceSpec }
}
