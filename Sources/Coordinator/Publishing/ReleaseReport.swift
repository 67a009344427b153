import Balena
import BuildModel

/// A release as `release show` prints it. JSON of version 1.
package struct ReleaseReport: Codable, Hashable, Sendable {
  package struct Image: Codable, Hashable, Sendable {
    package var service: String
    package var status: String
    /// Digest of the manifest; nil until it was pushed.
    package var digest: Digest?
    package var location: String
    package var labels: [String: String]
  }
  package struct Asset: Codable, Hashable, Sendable {
    package var key: String
    /// nil: a row without a file.
    package var size: Int64?
  }
  /// Always 1.
  package var version = 1
  package var application: String
  package var id: Int64
  package var commit: String
  /// As the server spells it.
  package var rawVersion: String
  package var status: String
  package var isFinal: Bool
  package var isInvalidated: Bool
  package var tags: [String: String]
  package var images: [Image]
  package var assets: [Asset]

  package init(_ release: CloudRelease, assets: [CloudAsset], application: String) {
    self.application = application
    id = release.id.number
    commit = release.commit
    rawVersion = release.rawVersion
    status = release.status.rawValue
    isFinal = release.isFinal
    isInvalidated = release.isInvalidated
    tags = release.tags
    images = release.images.map {
      Image(service: $0.service, status: $0.status.rawValue, digest: $0.contentHash, location: $0.location, labels: $0.labels)
    }
    self.assets = assets.map { Asset(key: $0.key, size: $0.file?.size) }
  }
}

/// Names one release of an application: by version, commit or id.
package enum ReleaseSelector: Hashable, Sendable, CustomStringConvertible {
  case version(OSVersion)
  case commit(String)
  case id(Int64)

  /// Reads `id:7`, a complete commit, or a version; nil for anything else.
  package init?(_ text: String) {
    if text.hasPrefix("id:"), let number = Int64(text.dropFirst(3)), number > 0 {
      self = .id(number)
    } else if (32...40).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) {
      self = .commit(text)
    } else if let version = OSVersion(text) {
      self = .version(version)
    } else {
      return nil
    }
  }

  package var description: String {
    switch self {
    case .version(let version): version.text
    case .commit(let commit): "commit \(commit)"
    case .id(let id): "id \(id)"
    }
  }
}

extension PublishTarget {
  /// The releases that a selector names, the newest first; drafts too.
  package func releases(_ selector: ReleaseSelector, of name: ApplicationName) async throws -> (CloudApplication, [CloudRelease]) {
    try await checkReader()
    guard let application = try await client.application(slug: name.slug) else {
      throw PublishingError.notFound(what: "application \(name) that this credential can see", available: [])
    }
    let found: [CloudRelease] =
      switch selector {
      case .version(let version):
        try await client.releases(tag: ReleaseLookup.versionTag, value: version.text, of: application.id)
          + (try await client.releases(tag: ReleaseLookup.draftVersionTag, value: version.text, of: application.id))
          + (try await client.releases(version: version, of: application.id).filter { $0.name == version.text })
      case .commit(let commit): try await client.releases(commit: commit, of: application.id)
      case .id(let id): try await client.releases(id: RowID(id), of: application.id)
      }
    var seen: Set<RowID<ReleaseTable>> = []
    let releases = found.filter { seen.insert($0.id).inserted }.sorted { $0.id > $1.id }
    guard !releases.isEmpty else { throw PublishingError.notFound(what: "release \(selector) of \(name)", available: []) }
    return (application, releases)
  }

  /// What `release show` prints.
  package func show(_ selector: ReleaseSelector, of name: ApplicationName) async throws -> [ReleaseReport] {
    let (application, releases) = try await releases(selector, of: name)
    var reports: [ReleaseReport] = []
    for release in releases {
      reports.append(ReleaseReport(release, assets: try await client.assets(of: release.id), application: application.slug))
    }
    return reports
  }
}
