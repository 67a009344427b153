import BlobStore
import BuildModel
import CArchive
import Glibc

/// Writes a zip or a gzipped tar into the blob store with libarchive, quickly: level 1, because disk images are mostly zeros and packed anyway.
package final class ArchiveOutput {
  package enum Format: Sendable { case zip, gzippedTar }

  /// A regular file, directory or symbolic link to put in.
  package struct Member: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
      case file(path: String)
      case directory
      case link(target: String)
    }
    package var name: String
    package var kind: Kind
  }

  private let handle: OpaquePointer
  private let sink: Sink
  private let name: String

  private final class Sink {
    let writer: BlobWriter
    var failure: BlobStoreError?
    init(writer: BlobWriter) { self.writer = writer }
  }

  /// Packs the members in their order with one time for all, and returns the blob.
  package static func write(
    _ members: [Member], as format: Format, name: String, epoch: Int64, to store: BlobStore
  ) throws -> BlobDescriptor {
    let output = try ArchiveOutput(format: format, name: name, store: store)
    for member in members { try output.add(member, epoch: epoch) }
    return try output.finish()
  }

  private init(format: Format, name: String, store: BlobStore) throws {
    guard let handle = archive_write_new() else { throw YoctoError.archive(path: name, reason: "no memory") }
    self.handle = handle
    self.name = name
    sink = Sink(writer: try BlobWriter(store: store))
    switch format {
    case .zip:
      archive_write_set_format_zip(handle)
      archive_write_set_format_option(handle, "zip", "compression-level", "1")
    case .gzippedTar:
      archive_write_set_format_pax_restricted(handle)
      archive_write_add_filter_gzip(handle)
      archive_write_set_filter_option(handle, "gzip", "compression-level", "1")
      // Else the time of packing stands in the header.
      archive_write_set_filter_option(handle, "gzip", "timestamp", nil)
    }
    archive_write_set_bytes_in_last_block(handle, 1)
    let code = archive_write_open(
      handle, Unmanaged.passUnretained(sink).toOpaque(), nil,
      { _, context, bytes, count in
        guard let context, let bytes else { return -1 }
        let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
        do throws(BlobStoreError) {
          try sink.writer.write(UnsafeRawBufferPointer(start: bytes, count: count))
          return count
        } catch {
          sink.failure = error
          return -1
        }
      }, nil)
    guard code == ARCHIVE_OK else { throw failure() }
  }

  deinit { archive_write_free(handle) }

  private func add(_ member: Member, epoch: Int64) throws {
    guard let entry = archive_entry_new() else { throw YoctoError.archive(path: name, reason: "no memory") }
    defer { archive_entry_free(entry) }
    archive_entry_set_pathname(entry, member.name)
    archive_entry_set_mtime(entry, time_t(epoch), 0)
    archive_entry_set_uid(entry, 0)
    archive_entry_set_gid(entry, 0)
    switch member.kind {
    case .directory:
      archive_entry_set_filetype(entry, UInt32(Glibc.S_IFDIR))
      archive_entry_set_perm(entry, 0o755)
      try check(archive_write_header(handle, entry))
    case .link(let target):
      archive_entry_set_filetype(entry, UInt32(Glibc.S_IFLNK))
      archive_entry_set_perm(entry, 0o777)
      archive_entry_set_symlink(entry, target)
      try check(archive_write_header(handle, entry))
    case .file(let path):
      var status = stat()
      guard stat(path, &status) == 0 else { throw YoctoError.system(operation: "stat", path: path, errno: errno) }
      guard status.st_mode & Glibc.S_IFMT == Glibc.S_IFREG else { throw YoctoError.notAFile(path: path) }
      archive_entry_set_filetype(entry, UInt32(Glibc.S_IFREG))
      archive_entry_set_perm(entry, status.st_mode & 0o111 == 0 ? 0o644 : 0o755)
      archive_entry_set_size(entry, Int64(status.st_size))
      try check(archive_write_header(handle, entry))
      var written: Int64 = 0
      var problem: (any Error)?
      try FileReader.read(path) { piece in
        guard problem == nil else { return }
        let count = archive_write_data(handle, piece.baseAddress, piece.count)
        if count < 0 { problem = failure() }
        written += Int64(max(0, count))
      }
      if let problem { throw problem }
      guard written == Int64(status.st_size) else { throw YoctoError.archive(path: path, reason: "changed while it was packed") }
    }
  }

  private func finish() throws -> BlobDescriptor {
    try check(archive_write_close(handle))
    return try sink.writer.finish(expecting: nil)
  }

  private func check(_ code: Int32) throws {
    guard code == ARCHIVE_OK || code == ARCHIVE_WARN else { throw failure() }
  }

  private func failure() -> any Error {
    if let failure = sink.failure { return failure }
    return YoctoError.archive(path: name, reason: archive_error_string(handle).map { String(cString: $0) } ?? "cannot be written")
  }
}
