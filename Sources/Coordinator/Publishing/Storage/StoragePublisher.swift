import Balena
import BlobStore
import BoundedConcurrency
import BuildModel

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
///
/// Of two uploaders one gets the marker: it is written with a condition, and read back, for services that know none. Right before the manifest every
/// object's digest is looked at.
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
    if try await !isWhole(publication) { try await upload(publication, &report) }
    report.present = publication.files.count - report.uploaded
    // Also when an earlier run ended between the manifest and this.
    try await store.delete(try key(Self.marker, publication))
    if publication.isFinal, !publication.version.isESR { report.latest = try await moveLatest(publication) }
    return report
  }

  /// Whether the directory is complete with all of our files; complete with others is a conflict.
  private func isWhole(_ publication: StoragePublication) async throws -> Bool {
    guard let there = try await store.get(try key(Self.manifest, publication)) else { return false }
    // A coordinator that fetched released blocks has no archives and lists of packages of its own: what it has must be there, more may be.
    guard Self.lines(publication.manifest).isSubset(of: Self.lines(there)) else {
      throw conflict(publication, "its \(Self.manifest) names other files")
    }
    return true
  }

  private static func lines(_ manifest: [UInt8]) -> Set<ArraySlice<UInt8>> { Set(manifest.split(separator: UInt8(ascii: "\n"))) }

  private func upload(_ publication: StoragePublication, _ report: inout StorageReport) async throws {
    let marker = try key(Self.marker, publication)
    let prefix = publication.directory + "/"
    let identity = try ObjectStore.digest(of: publication.manifest)
    guard try await begin(publication, identity) else { return }
    let wanted = Set(publication.files.map { prefix + $0.path.text } + [marker.text])
    for surplus in try await store.keys(below: prefix) where !wanted.contains(surplus) {
      guard let path = RelativePath(surplus) else {
        throw PublishingError.unexpected(what: "an object below \(prefix)", found: "a key that is no path", expected: "files of a deploy tree")
      }
      try await store.delete(path)
      report.removed += 1
    }
    report.uploaded = try await publication.files.concurrentMap(atOnce: Self.width) { try await place($0, publication, identity) }
      .filter { $0 }.count
    // Who did not see our marker, or does not look at markers, may have written between our files.
    let isRight = try await publication.files.concurrentMap(atOnce: Self.width) { file in
      let there = try await store.head(try key(file.path.text, publication))
      return there?.digest == file.blob.digest && there?.size == file.blob.size
    }
    if let other = zip(publication.files, isRight).first(where: { !$1 })?.0 {
      throw conflict(publication, "another upload changed \(other.path) meanwhile")
    }
    guard try await isOurs(publication, identity) else { return }
    let manifest = try key(Self.manifest, publication)
    try await store.put(publication.manifest, at: manifest, access: publication.access, replacing: nil)
    guard try await isWhole(publication) else {
      throw PublishingError.unexpected(what: manifest.text, found: "missing right after it was written", expected: "there")
    }
  }

  /// Takes the directory; false when somebody else has just completed it with the same files.
  private func begin(_ publication: StoragePublication, _ identity: Digest) async throws -> Bool {
    let marker = try key(Self.marker, publication)
    let there = try await store.tagged(marker)
    if let found = there.map({ Marker($0.bytes) }) {
      if let owner = found.owner, owner != identity, Timestamp.now.seconds(since: found.time) < Self.patience {
        throw conflict(publication, "another upload began at \(found.time) and is not finished")
      }
    } else {
      // Listed before the marker is written; an upload that completed the directory in between is seen by its manifest.
      let keys = try await store.keys(below: publication.directory + "/")
      if !keys.isEmpty, try await isUnmarked(publication) {
        throw conflict(
          publication, "it has \(Counted(keys.count, "object")), neither \(Self.marker) nor \(Self.manifest): an older program published it")
      }
    }
    try await store.put(Marker(owner: identity, time: .now).bytes, at: marker, access: publication.access, replacing: there.flatMap(\.tag))
    // Of several who saw the same, all may have written, and one was the last.
    guard try await isOurs(publication, identity) else { return false }
    // Somebody may have begun and ended between our two looks: then nothing may be changed any more, and the marker hides what is good.
    do {
      return try await !isWhole(publication)
    } catch let error as PublishingError {
      try await store.delete(marker)
      throw error
    }
  }

  /// Whether the directory, which has objects, still has neither marker nor manifest: another upload may have begun since it was looked at.
  private func isUnmarked(_ publication: StoragePublication) async throws -> Bool {
    if try await store.head(try key(Self.marker, publication)) != nil { return false }
    return try await store.head(try key(Self.manifest, publication)) == nil
  }

  /// Whether the marker is ours; false when somebody else has completed the directory with the same files meanwhile.
  private func isOurs(_ publication: StoragePublication, _ identity: Digest) async throws -> Bool {
    if try await store.get(try key(Self.marker, publication)).flatMap({ Marker($0).owner }) == identity { return true }
    guard try await isWhole(publication) else { throw conflict(publication, "another upload took it over meanwhile") }
    return false
  }

  /// Sends a file unless it is there; true when it was sent. The marker is looked at before each: who lost the directory stops at once.
  private func place(_ file: StoragePublication.File, _ publication: StoragePublication, _ identity: Digest) async throws -> Bool {
    let key = try key(file.path.text, publication)
    if let there = try await store.head(key), there.digest == file.blob.digest, there.size == file.blob.size { return false }
    guard try await isOurs(publication, identity) else { return false }
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
