import BlobStore
import BuildModel
import Cloud

/// The files of one device type at one version, for a bucket.
package struct StoragePublication: Sendable {
  package struct File: Hashable, Sendable {
    /// Below the version's directory.
    package var path: RelativePath
    package var blob: BlobDescriptor
    package init(path: RelativePath, blob: BlobDescriptor) {
      self.path = path
      self.blob = blob
    }
  }
  package var slug: Slug
  package var version: OSVersion
  package var files: [File]
  /// nil, unknown, counts as private.
  package var isPrivate: Bool?
  /// A final release: only that moves `latest`, and never for an extended support release.
  package var isFinal: Bool

  package init(slug: Slug, version: OSVersion, files: [File], isPrivate: Bool?, isFinal: Bool) {
    self.slug = slug
    self.version = version
    self.files = files
    self.isPrivate = isPrivate
    self.isFinal = isFinal
  }

  var access: ObjectStore.Access { isPrivate == false ? .publicRead : .privateToOwner }
  private var root: String { (version.isESR ? "esr-images/" : "images/") + slug.text }
  var directory: String { "\(root)/\(version.text)" }
  var latestKey: String { "\(root)/latest" }

  /// `sha256sum -c` reads it; its presence says that the directory is whole.
  var manifest: [UInt8] {
    let lines = files.sorted { $0.path < $1.path }.map { "\($0.blob.digest.hex)  \($0.path)\n" }
    return Array(lines.joined().utf8)
  }
}

/// What an upload did.
package struct StorageReport: Hashable, Sendable {
  package enum Latest: Hashable, Sendable {
    case moved(from: String?)
    /// It is that version or a later one, or this release does not move it.
    case kept
  }
  package var directory: String
  package var uploaded = 0
  package var present = 0
  package var removed = 0
  package var latest = Latest.kept
}

/// Uploads deploy trees so that readers never take half of one for a whole.
///
/// Readers leave a directory alone while it holds `IGNORE`: the marker is there before anything else changes, and goes after the manifest
/// (`SHA256SUMS`), which comes last. `latest` moves after that, and only forward. Everything may be repeated.
package struct StoragePublisher: Sendable {
  let store: ObjectStore
  let blobs: BlobStore

  package init(store: ObjectStore, blobs: BlobStore) {
    self.store = store
    self.blobs = blobs
  }

  static let marker = "IGNORE"
  static let manifest = "SHA256SUMS"
  /// After this the upload behind a marker counts as dead.
  private static let patience: Double = 6 * 3600
  private static let width = 4

  package func publish(_ publication: StoragePublication) async throws -> StorageReport {
    for file in publication.files where [Self.marker, Self.manifest].contains(file.path.text) {
      throw PublishingError.invalid(what: publication.directory, reason: "a file may not be called \(file.path)")
    }
    var report = StorageReport(directory: publication.directory)
    let manifest = publication.manifest
    let identity = try ObjectStore.digest(of: manifest)
    if let there = try await store.get(try key(Self.manifest, publication)) {
      // A coordinator that fetched released blocks has no archives and lists of packages of its own: what it has must be there, more may be.
      guard Self.lines(manifest).isSubset(of: Self.lines(there)) else { throw conflict(publication, "its \(Self.manifest) names other files") }
      report.present = publication.files.count
    } else {
      try await upload(publication, manifest, identity, &report)
    }
    // Also when an earlier run ended between the manifest and this.
    try await store.delete(try key(Self.marker, publication))
    if publication.isFinal, !publication.version.isESR { report.latest = try await moveLatest(publication) }
    return report
  }

  private static func lines(_ manifest: [UInt8]) -> Set<ArraySlice<UInt8>> { Set(manifest.split(separator: UInt8(ascii: "\n"))) }

  private func upload(_ publication: StoragePublication, _ manifest: [UInt8], _ identity: Digest, _ report: inout StorageReport) async throws {
    let marker = try key(Self.marker, publication)
    let prefix = publication.directory + "/"
    let found = try await store.get(marker).map { Marker($0) }
    let keys = try await store.keys(below: prefix)
    if let found {
      if let owner = found.owner, owner != identity, Timestamp.now.seconds(since: found.time) < Self.patience {
        throw conflict(publication, "another upload began at \(found.time) and is not finished")
      }
    } else if !keys.isEmpty {
      throw conflict(publication, "it has \(keys.count) objects, neither \(Self.marker) nor \(Self.manifest): an older program published it")
    }
    try await store.put(Marker(owner: identity, time: .now).bytes, at: marker, access: publication.access)
    let wanted = Set(publication.files.map { prefix + $0.path.text } + [marker.text])
    for surplus in keys where !wanted.contains(surplus) {
      guard let path = RelativePath(surplus) else {
        throw PublishingError.unexpected(what: "an object below \(prefix)", found: "a key that is no path", expected: "files of a deploy tree")
      }
      try await store.delete(path)
      report.removed += 1
    }
    let wasSent = try await withThrowingTaskGroup(of: Bool.self) { group in
      var rest = publication.files[...]
      var sent: [Bool] = []
      func startNext() {
        guard let file = rest.popFirst() else { return }
        group.addTask { try await place(file, publication) }
      }
      for _ in 0..<Self.width { startNext() }
      while let one = try await group.next() {
        sent.append(one)
        startNext()
      }
      return sent
    }
    report.uploaded = wasSent.filter { $0 }.count
    report.present = wasSent.count - report.uploaded
    guard try await store.get(marker).flatMap({ Marker($0).owner }) == identity else {
      throw conflict(publication, "another upload took it over meanwhile")
    }
    try await store.put(manifest, at: try key(Self.manifest, publication), access: publication.access)
  }

  /// Sends a file unless it is there; true when it was sent.
  private func place(_ file: StoragePublication.File, _ publication: StoragePublication) async throws -> Bool {
    let key = try key(file.path.text, publication)
    if let there = try await store.head(key), there.digest == file.blob.digest, there.size == file.blob.size { return false }
    try await store.put(file: blobs.path(file.blob.digest), file.blob, at: key, access: publication.access)
    return true
  }

  /// Reads back what it wrote: of two that write at once the later version stays.
  private func moveLatest(_ publication: StoragePublication) async throws -> StorageReport.Latest {
    guard let key = RelativePath(publication.latestKey) else { throw PublishingError.invalid(what: publication.latestKey, reason: "no path") }
    var moved: StorageReport.Latest?
    for _ in 0..<5 {
      let text = try await store.get(key, limit: 4096).map { String(decoding: $0, as: UTF8.self).filter { !$0.isWhitespace } }
      if let text, text != publication.version.text {
        guard let there = OSVersion(text) else {
          throw PublishingError.unexpected(what: publication.latestKey, found: "'\(text.prefix(80))'", expected: "a version")
        }
        if there >= publication.version { return moved ?? .kept }
      } else if text != nil {
        return moved ?? .kept
      }
      moved = moved ?? .moved(from: text)
      try await store.put(Array(publication.version.text.utf8), at: key, access: publication.access)
    }
    throw PublishingError.unsettled(what: publication.latestKey, remaining: publication.version.text)
  }

  private func key(_ path: String, _ publication: StoragePublication) throws(PublishingError) -> RelativePath {
    guard let key = RelativePath("\(publication.directory)/\(path)") else { throw .invalid(what: path, reason: "it leaves its directory") }
    return key
  }

  private func conflict(_ publication: StoragePublication, _ reason: String) -> PublishingError {
    .occupied(place: "\(store.bucket)/\(publication.directory)", reason: reason)
  }
}

/// The content of `IGNORE`: who uploads, by the digest of the manifest to come, and since when. Other programs leave it empty.
struct Marker {
  let owner: Digest?
  let time: Timestamp

  init(owner: Digest, time: Timestamp) {
    self.owner = owner
    self.time = time
  }

  init(_ bytes: [UInt8]) {
    let words = String(decoding: bytes.prefix(200), as: UTF8.self).split(whereSeparator: \.isWhitespace)
    owner = words.count == 2 ? Digest(String(words[0])) : nil
    time = words.count == 2 ? Timestamp(String(words[1])) ?? Timestamp(milliseconds: 0) : Timestamp(milliseconds: 0)
  }

  var bytes: [UInt8] { Array("\(owner?.description ?? "") \(time)\n".utf8) }
}
