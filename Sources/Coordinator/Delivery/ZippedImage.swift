import BlobStore
import BuildModel
import CArchive
import FoundationEssentials
import Glibc

/// A disk image alone in a zip, as `deploy-jenkins/image/` has it. The same bytes for the same image, name and time. Synchronous.
final class ZippedImage {
  /// The zip or the image could not be read or written.
  struct Problem: Error, CustomStringConvertible {
    let name: String
    let reason: String
    var description: String { "\(name).zip: \(reason)" }
  }

  private let handle: OpaquePointer
  private let name: String
  private let writer: BlobWriter
  private var failure: BlobStoreError?

  /// Packs the file under `name` and returns the blob.
  static func write(_ file: String, name: String, epoch: Int64, to store: BlobStore) throws -> BlobDescriptor {
    let zip = try ZippedImage(name: name, store: store)
    try zip.pack(file, epoch: epoch)
    try zip.check(archive_write_close(zip.handle))
    return try zip.writer.finish(expecting: nil)
  }

  private init(name: String, store: BlobStore) throws {
    guard let handle = archive_write_new() else { throw Problem(name: name, reason: "no memory") }
    self.handle = handle
    self.name = name
    writer = try BlobWriter(store: store)
    archive_write_set_format_zip(handle)
    // Quickly, because disk images are mostly zeros and packed anyway.
    archive_write_set_format_option(handle, "zip", "compression-level", "1")
    archive_write_set_bytes_in_last_block(handle, 1)
    let code = archive_write_open(
      handle, Unmanaged.passUnretained(self).toOpaque(), nil,
      { _, context, bytes, count in
        guard let context, let bytes else { return -1 }
        let zip = Unmanaged<ZippedImage>.fromOpaque(context).takeUnretainedValue()
        do throws(BlobStoreError) {
          try zip.writer.write(UnsafeRawBufferPointer(start: bytes, count: count))
          return count
        } catch {
          zip.failure = error
          return -1
        }
      }, nil)
    try check(code)
  }

  deinit { archive_write_free(handle) }

  private func pack(_ file: String, epoch: Int64) throws {
    var status = stat()
    guard stat(file, &status) == 0 else { throw Problem(name: name, reason: String(cString: strerror(errno))) }
    guard let entry = archive_entry_new() else { throw Problem(name: name, reason: "no memory") }
    defer { archive_entry_free(entry) }
    archive_entry_set_pathname(entry, name)
    archive_entry_set_mtime(entry, time_t(epoch), 0)
    archive_entry_set_uid(entry, 0)
    archive_entry_set_gid(entry, 0)
    archive_entry_set_filetype(entry, UInt32(Glibc.S_IFREG))
    archive_entry_set_perm(entry, 0o644)
    archive_entry_set_size(entry, Int64(status.st_size))
    try check(archive_write_header(handle, entry))
    var problem: (any Error)?
    try FileReader.read(file) { piece in
      guard problem == nil else { return }
      if archive_write_data(handle, piece.baseAddress, piece.count) != piece.count { problem = reason() }
    }
    if let problem { throw problem }
  }

  private func check(_ code: Int32) throws {
    guard code == ARCHIVE_OK || code == ARCHIVE_WARN else { throw reason() }
  }

  private func reason() -> any Error {
    if let failure { return failure }
    return Problem(name: name, reason: archive_error_string(handle).map { String(cString: $0) } ?? "cannot be written")
  }
}
