import Balena
import BuildModel

/// What the cloud has of a version already.
package enum ReleaseStanding: Sendable {
  /// Nothing that counts: it is to be published.
  case absent
  /// Our own release, complete or not: it is gone on with.
  case ours(CloudRelease)
  /// A release of somebody else with the same images.
  case same(CloudRelease)
  /// A release with other content that devices may be given already.
  case conflict(CloudRelease, reason: String)

  /// Judges what lookups found. Only releases that are final, successful and not invalidated count as existing; a draft counts when it has our commit.
  ///
  /// A release found by its tag `version` comes before one that the server itself calls by the version. Of several the newest counts.
  package static func judge(
    commit: String, images: [String: Digest], byCommit: [CloudRelease], byTag: [CloudRelease], byVersion: [CloudRelease]
  ) -> ReleaseStanding {
    let ours = byCommit.filter { $0.commit == commit && ($0.status == .running || $0.status == .success) }
    if let invalidated = ours.first(where: { $0.isInvalidated }) {
      return .conflict(invalidated, reason: "exactly this content was published and invalidated")
    }
    if let visible = ours.first(where: \.isVisible) { return .ours(visible) }
    let existing = (newest(byTag) ?? newest(byVersion)).flatMap { $0.commit == commit ? nil : $0 }
    if let existing {
      let found = digests(existing)
      if found == images.mapValues({ Optional($0) }) { return .same(existing) }
      return .conflict(existing, reason: difference(found, images))
    }
    return chosen(ours).map { .ours($0) } ?? .absent
  }

  /// Of several releases with one commit (two coordinators began at the same moment) the one that all go on with: one that is visible, else one that is
  /// complete (the server allows one for each commit), else the oldest.
  package static func chosen(_ releases: [CloudRelease]) -> CloudRelease? {
    func rank(_ release: CloudRelease) -> Int { release.isVisible ? 0 : release.status == .success ? 1 : 2 }
    return releases.filter { $0.status == .running || $0.status == .success }.min { (rank($0), $0.id) < (rank($1), $1.id) }
  }

  /// The newest of those that devices may be given.
  package static func newest(_ releases: [CloudRelease]) -> CloudRelease? { releases.filter(\.isVisible).max { $0.id < $1.id } }

  /// Other releases that devices may be given, with other images, and in what each differs.
  package static func rivals(of release: CloudRelease, among releases: [CloudRelease]) -> [(release: CloudRelease, reason: String)] {
    let ours = digests(release)
    return releases.filter { $0.id != release.id && $0.isVisible && digests($0) != ours }
      .map { ($0, difference(digests($0), ours.compactMapValues { $0 })) }
  }

  /// In what a release with the same images is another one than described: labels and assets by key and size.
  static func differences(of release: CloudRelease, assets: [CloudAsset], from description: ReleaseDescription) -> [String] {
    var differences: [String] = []
    for image in release.images {
      let wanted = description.services[image.service]?.labels ?? [:]
      for name in Set(wanted.keys).union(image.labels.keys).sorted() where wanted[name] != image.labels[name] {
        differences.append("label \(name) of \(image.service)")
      }
    }
    let sizes = Dictionary(assets.map { ($0.key, $0.file?.size ?? -1) }, uniquingKeysWith: { first, _ in first })
    let wanted = Dictionary(description.assets.map { ($0.key.text, $0.blob.size) }, uniquingKeysWith: { first, _ in first })
    for key in Set(sizes.keys).union(wanted.keys).sorted() where sizes[key] != wanted[key] { differences.append("asset \(key)") }
    return differences
  }

  private static func digests(_ release: CloudRelease) -> [String: Digest?] {
    Dictionary(release.images.map { ($0.service, $0.contentHash) }, uniquingKeysWith: { first, _ in first })
  }

  private static func difference(_ found: [String: Digest?], _ wanted: [String: Digest]) -> String {
    for name in Set(found.keys).union(wanted.keys).sorted() {
      let (there, here) = (found[name] ?? nil, wanted[name])
      if there == here { continue }
      guard let here else { return "it has another service '\(name)'" }
      guard let there else { return "it has no service '\(name)'" }
      return "service '\(name)' is \(there.short) there and \(here.short) here"
    }
    return "its services differ"
  }
}
