import BuildModel
import FoundationEssentials
import Planning
import Publishing

/// Which blocks of a draft the cloud has at their version already.
package struct ReleasedBlocks: Sendable {
  /// By device type and block.
  package private(set) var releases: [Slug: [BlockName: PlanFacts.Release]] = [:]

  package init() {}

  /// Asks for each device type. A commit that is not its version's tag is not what was released under that version, so nothing is asked for it.
  package static func look(for draft: PlanDraft, in session: CloudSession, notice: @Sendable (String) -> Void) async throws -> ReleasedBlocks {
    var released = ReleasedBlocks()
    if session.target.client.isGuest { notice("\(session.target.client.api.origin) is asked as a guest: it tells of public releases alone") }
    let unknown = draft.unknownBlocks.map(\.name)
    for task in draft.tasks where !task.builtBlocks.isEmpty || !unknown.isEmpty {
      guard task.isRelease else {
        notice("\(task.slug): releases of \(task.osVersion) are not looked for, because what is built is not what that tag stands for")
        continue
      }
      let found = try await session.target.existingReleases(slug: task.slug, blocks: task.builtBlocks.map(\.name) + unknown, version: task.osVersion)
      for (name, release) in found where unknown.contains(name) || task.builtBlocks.contains(where: { $0.name == name }) {
        released.releases[task.slug, default: [:]][name] = .init(reference: release.reference, labels: release.labels)
      }
      for block in task.builtBlocks {
        guard let release = found[block.name] else { continue }
        let differing = block.labels.filter { release.labels[$0.key] != nil && release.labels[$0.key] != $0.value }.keys.sorted()
        if !differing.isEmpty {
          notice("\(task.slug): block \(block.name) is released with other labels than its contract has now: \(differing.joined(separator: ", "))")
        }
      }
    }
    return released
  }

  /// The registries that the released images are in.
  package var registries: Set<RegistryName> {
    Set(releases.values.flatMap(\.values).compactMap { try? ImageReference(familiar: $0.reference).registry })
  }

  func contains(_ block: BlockName, of slug: Slug) -> Bool { releases[slug]?[block] != nil }
}
