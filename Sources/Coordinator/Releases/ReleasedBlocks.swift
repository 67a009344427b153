import BuildModel
import FoundationEssentials
import Planning
import Publishing

/// Which blocks of a plan the cloud has at their version already.
package struct ReleasedBlocks: Sendable {
  /// By device type and block: what a registry is asked for.
  package var references: [Slug: [BlockName: String]] = [:]
  /// The same, with labels, for blocks that only the cloud knows.
  package var unplanned: [Slug: [BlockName: (reference: String, labels: [String: String])]] = [:]

  package init() {}

  /// Asks for each device type. A commit that is not its version's tag is not what was released under that version, so nothing is asked for it.
  package static func look(for plan: Plan, in session: CloudSession, notice: @Sendable (String) -> Void) async throws -> ReleasedBlocks {
    var released = ReleasedBlocks()
    if session.target.client.isGuest { notice("\(session.target.client.api.origin) is asked as a guest: it tells of public releases alone") }
    let unknown = plan.unknownBlocks?.map(\.name) ?? []
    for task in plan.tasks where !task.builtBlocks.isEmpty || !unknown.isEmpty {
      guard task.isRelease, let version = OSVersion(task.osVersion) else {
        notice("\(task.slug): releases of \(task.osVersion) are not looked for, because what is built is not what that tag stands for")
        continue
      }
      let found = try await session.target.existingReleases(slug: task.slug, blocks: task.builtBlocks.map(\.name) + unknown, version: version)
      for name in unknown {
        guard let release = found[name] else { continue }
        released.references[task.slug, default: [:]][name] = release.reference
        released.unplanned[task.slug, default: [:]][name] = (release.reference, release.labels)
      }
      for block in task.builtBlocks {
        guard let release = found[block.name] else { continue }
        let differing = block.labels.filter { release.labels[$0.key] != nil && release.labels[$0.key] != $0.value }.keys.sorted()
        if !differing.isEmpty {
          notice("\(task.slug): block \(block.name) is released with other labels than its contract has now: \(differing.joined(separator: ", "))")
        }
        released.references[task.slug, default: [:]][block.name] = release.reference
      }
    }
    return released
  }

  /// The registries that the released images are in.
  package var registries: Set<RegistryName> {
    Set(references.values.flatMap(\.values).compactMap { try? ImageReference(familiar: $0).registry })
  }

  func contains(_ block: BlockName, of slug: Slug) -> Bool { references[slug]?[block] != nil }
}
