import Balena
import BuildModel

/// Finds out what the cloud has of a version.
package struct ReleaseLookup: Sendable {
  /// The tag by which a version is recognised.
  package static let versionTag = "version"

  /// Names the version of a draft that the server could not be told: without it nobody would find the draft by its version.
  package static let draftVersionTag = "blockfarm.version"

  /// Marks a release that was to be published beside others of its version: it is nobody's rival.
  package static let conflictAllowedTag = "blockfarm.conflict-allowed"

  /// Marks a draft that must not become final: its commit is not the version's tag.
  package static let draftOnlyTag = "blockfarm.draft-only"

  let client: BalenaClient

  package init(client: BalenaClient) { self.client = client }

  /// How a description stands against what is there.
  package func standing(of description: ReleaseDescription, in application: CloudApplication) async throws -> ReleaseStanding {
    let version = description.version.version.text
    // A draft that can never become final is nobody's rival, whatever was released under the version that is nearest to it.
    guard !description.isDraftOnly else {
      let ours = try await client.releases(commit: description.commit, of: application.id)
      return ReleaseStanding.judge(commit: description.commit, images: [:], byCommit: ours, byTag: [], byVersion: [])
    }
    return ReleaseStanding.judge(
      commit: description.commit, images: description.services.mapValues(\.image.manifest.digest),
      byCommit: try await client.releases(commit: description.commit, of: application.id),
      byTag: try await client.releases(tag: Self.versionTag, value: version, of: application.id),
      byVersion: try await client.releases(rawVersion: version, of: application.id))
  }

  /// The release of a version that devices may be given: by its tag first, then by what the server calls it.
  package func existing(_ version: OSVersion, in application: RowID<ApplicationTable>) async throws -> CloudRelease? {
    if let tagged = ReleaseStanding.newest(try await client.releases(tag: Self.versionTag, value: version.text, of: application)) { return tagged }
    return ReleaseStanding.newest(try await client.releases(rawVersion: version.text, of: application))
  }

  /// All releases that are known by a version, by its tag or by what the server calls them; each once.
  package func all(_ version: OSVersion, in application: RowID<ApplicationTable>) async throws -> [CloudRelease] {
    let tagged = try await client.releases(tag: Self.versionTag, value: version.text, of: application)
    let named = try await client.releases(rawVersion: version.text, of: application)
    return tagged + named.filter { release in !tagged.contains { $0.id == release.id } }
  }

  /// What the release's `semver` is to be: nil where the server would refuse it or call the release by another name.
  package func postedVersion(_ version: ReleaseVersion, in application: RowID<ApplicationTable>) async throws -> String? {
    guard version.isStrict else { return nil }
    return version.posted(revisions: try await client.revisions(of: version.version, in: application))
  }
}
