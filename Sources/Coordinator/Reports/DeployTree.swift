import BlobStore
import BuildModel
import FoundationEssentials
import Glibc

/// A request's deploy tree: `<output>/<request>/{index.json,SHA256SUMS,oci/}` and one directory a device type with
/// `deploy-jenkins/`, `images/` and `logs/`.
///
/// Files are hard links into the blob store where both lie on one file system. All calls are synchronous.
package struct DeployTree: Sendable {
  package let output: String
  package let request: RequestID

  package init(output: String, request: RequestID) {
    self.output = output
    self.request = request
  }

  /// The request's directory.
  package var root: String { output + "/" + request.text }
  package func directory(_ slug: Slug) -> String { root + "/" + slug.text }
  package func log(_ attempt: AttemptID) -> String { directory(attempt.slug) + "/logs/attempt-\(attempt.number).log" }
  package var ociLayout: String { root + "/oci" }

  /// Puts a blob below a device type's directory.
  package func place(_ blob: Digest, from store: BlobStore, at path: RelativePath, of slug: Slug) throws {
    let destination = directory(slug) + "/" + path.text
    do {
      try store.link(blob, to: destination)
    } catch BlobStoreError.system(_, _, ENOENT) {
      try Self.makeParents(of: destination)
      try store.link(blob, to: destination)
    }
  }

  /// Writes a small file in whole: temporary name, sync, rename.
  package static func write(_ bytes: [UInt8], to path: String) throws {
    try makeParents(of: path)
    if let reason = OutputPath.reasonNotFile(path) { throw ReportError(output: path, reason: reason) }
    let temporary = path + ".new"
    let descriptor = open(temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw ReportError(operation: "create", path: temporary, errno: errno) }
    if let code = bytes.withUnsafeBytes({ FileWriter.write($0, to: descriptor) }) {
      close(descriptor)
      throw ReportError(operation: "write", path: temporary, errno: code)
    }
    let synced = fsync(descriptor)
    let cause = errno
    close(descriptor)
    guard synced == 0 else { throw ReportError(operation: "sync", path: temporary, errno: cause) }
    guard rename(temporary, path) == 0 else { throw ReportError(operation: "rename", path: path, errno: errno) }
  }

  /// Makes all directories above a path.
  package static func makeParents(of path: String) throws {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
    try makeDirectory(String(path[..<slash]))
  }

  package static func makeDirectory(_ path: String) throws {
    if mkdir(path, 0o755) == 0 { return }
    if errno == ENOENT {
      try makeParents(of: path)
      if mkdir(path, 0o755) == 0 { return }
    }
    guard errno == EEXIST else { throw ReportError(operation: "mkdir", path: path, errno: errno) }
    if let reason = OutputPath.reasonNotDirectory(path) { throw ReportError(output: path, reason: reason) }
  }
}
