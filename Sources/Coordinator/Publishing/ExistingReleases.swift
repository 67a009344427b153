import BuildModel

/// A block's release in the cloud, as the planner needs it: it is fetched instead of built.
package struct ExistingBlock: Hashable, Sendable {
  package var name: BlockName
  package var application: String
  package var release: Int64
  package var commit: String
  /// `<location>@<manifest digest>`, what a registry client pulls.
  package var reference: String
  package var labels: [String: String]
}

extension PublishTarget {
  /// Which of the blocks have a release of that version that devices may be given, by block name.
  ///
  /// An error is thrown as such: that a lookup failed never reads as "there is none".
  package func existingReleases(slug: Slug, blocks: [BlockName], version: OSVersion) async throws -> [BlockName: ExistingBlock] {
    try await checkReader()
    var names: [String: (block: BlockName, application: ApplicationName)] = [:]
    for block in blocks {
      let name = try ApplicationName(organization: organization, slug: slug, role: .block(block), isESR: version.isESR)
      names[name.slug] = (block, name)
    }
    let lookup = ReleaseLookup(client: client)
    let applications = try await client.applications(slugs: names.keys.sorted())
    var found: [BlockName: ExistingBlock] = [:]
    for application in applications {
      guard let (block, _) = names[application.slug], let release = try await lookup.existing(version, in: application.id) else { continue }
      guard release.images.count == 1, let image = release.images.first, image.status == .success, let reference = image.pullReference else {
        throw PublishingError.unexpected(
          what: "release \(release.id) of \(application.slug)", found: "\(Counted(release.images.count, "image")) or none that was pushed",
          expected: "the one image of a block")
      }
      found[block] = ExistingBlock(
        name: block, application: application.slug, release: release.id.number, commit: release.commit, reference: reference, labels: image.labels)
    }
    return found
  }
}
