import BlobStore
import BuildModel
import FoundationEssentials
import Glibc

extension PackageFeed {
  /// What else a missing package may be: its other versions where the name is there, else names that look alike.
  func nearest(to name: PackageName) -> [String] {
    if let others = candidates[name] { return others.prefix(5).map(\.label) }
    return NearestNames.of(name.text, among: (Array(candidates.keys) + providers.keys).map(\.text))
  }

  /// Takes the packages into a blob store, each checked against its stanza, with indexes that list exactly them: a complete feed of its own.
  package func provide(_ packages: [Candidate], into store: BlobStore) throws(FeedError) -> ProvidedFeed {
    var files: [ProvidedFeed.File] = []
    for candidate in packages {
      try Self.verify(candidate.stanza, at: candidate.path)
      let blob = try stored { () throws(BlobStoreError) in try store.put(file: candidate.path) }
      guard blob.size == candidate.stanza.size, candidate.stanza.sha256 == nil || candidate.stanza.sha256 == blob.digest else {
        throw .inconsistent(file: candidate.path, reason: "changed while it was read")
      }
      files.append(try Self.file(candidate.directory + "/" + candidate.stanza.file.text, blob))
    }
    return ProvidedFeed(architectures: architectures, files: try indexes(of: packages, into: store) + files)
  }

  /// Puts indexes that list exactly these packages into the store: the stanzas as they stand in the feed's own indexes.
  package func indexes(of packages: [Candidate], into store: BlobStore) throws(FeedError) -> [ProvidedFeed.File] {
    var files: [ProvidedFeed.File] = []
    for architecture in architectures {
      let places = packages.filter { $0.directory == architecture }.map(\.place).sorted { $0.lowerBound < $1.lowerBound }
      if places.isEmpty { continue }
      let text = try Self.excerpt(of: "\(root)/\(architecture)/Packages", places)
      // Whoever changed the index between the two readings would otherwise decide what is in the excerpt.
      let again = try PackageIndex(text, file: "\(root)/\(architecture)/Packages")
      guard Set(again.stanzas) == Set(packages.filter { $0.directory == architecture }.map(\.stanza)) else {
        throw .inconsistent(file: "\(root)/\(architecture)/Packages", reason: "changed while it was read")
      }
      let packed = try GzipFile.deflate([text])
      files.append(try Self.file(architecture + "/Packages", stored { () throws(BlobStoreError) in try store.put(text) }))
      files.append(try Self.file(architecture + "/Packages.gz", stored { () throws(BlobStoreError) in try store.put(packed) }))
    }
    return files
  }

  private static func file(_ path: String, _ blob: BlobDescriptor) throws(FeedError) -> ProvidedFeed.File {
    guard let safe = RelativePath(path) else { throw .malformed(file: path, reason: "is no path below a feed") }
    return ProvidedFeed.File(path: safe, blob: blob)
  }

  private static func excerpt(of path: String, _ places: [Range<Int>]) throws(FeedError) -> [UInt8] {
    let descriptor = try FeedFile.openRegular(path)
    defer { close(descriptor) }
    var text: [UInt8] = []
    for place in places {
      var piece = [UInt8](repeating: 0, count: place.count)
      let count = piece.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(place.lowerBound)) }
      guard count == place.count else { throw .inconsistent(file: path, reason: "changed while it was read") }
      text += piece + [10, 10]
    }
    return text
  }
}

/// Runs a store's operation with its error as the room's.
func stored<Value>(_ body: () throws(BlobStoreError) -> Value) throws(FeedError) -> Value {
  do throws(BlobStoreError) { return try body() } catch { throw .store(error) }
}
