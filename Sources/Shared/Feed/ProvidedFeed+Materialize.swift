import BlobStore
import BuildModel
import FoundationEssentials
import Glibc

extension ProvidedFeed {
  /// Lays the feed out below a new directory, as links to the blobs of a store on the same file system (else copies); returns the feed, checked.
  ///
  /// The paths were parsed as paths below a root; besides, they may only be what a feed has: one directory a listed architecture, with files in it.
  package func materialize(in directory: String, from store: BlobStore) throws(FeedError) -> PackageFeed {
    func made(_ path: String) throws(FeedError) {
      guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system(operation: "mkdir", path: path, errno: errno) }
    }
    guard mkdir(directory, 0o755) == 0 else { throw .system(operation: "mkdir", path: directory, errno: errno) }
    var seen: Set<RelativePath> = []
    for file in files {
      let parts = file.path.text.split(separator: "/").map(String.init)
      guard parts.count >= 2, architectures.contains(parts[0]) else {
        throw .inconsistent(file: file.path.text, reason: "lies in no architecture directory of the feed (\(architectures.joined(separator: " ")))")
      }
      guard seen.insert(file.path).inserted else { throw .inconsistent(file: file.path.text, reason: "is given twice") }
      for end in 1..<parts.count { try made(directory + "/" + parts[..<end].joined(separator: "/")) }
      let target = directory + "/" + file.path.text
      guard !FeedFile.exists(target) else { throw .inconsistent(file: file.path.text, reason: "is both a file and a directory") }
      guard store.size(file.blob.digest) == file.blob.size else { throw .store(.notFound(file.blob.digest)) }
      try stored { () throws(BlobStoreError) in try store.link(file.blob.digest, to: target) }
    }
    let feed = try PackageFeed(root: directory, architectures: architectures)
    _ = try feed.verify()
    return feed
  }
}
