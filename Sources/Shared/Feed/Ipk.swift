import BuildModel
import FoundationEssentials
import Glibc

/// One ipk package file, mapped into memory: `debian-binary`, `control.tar.*` and `data.tar.*`, in an `ar` archive or in a compressed tar.
///
/// The tar is what `opkg-build -c` and OpenWrt's `ipkg-build` write; opkg reads both.
package final class Ipk {
  package let path: String
  private enum Storage { case mapped, allocated }

  private let bytes: UnsafeRawBufferPointer
  private let storage: Storage
  private let container: IpkContainer

  /// Maps the file and reads the archive's structure; sizes that leave the file, missing or repeated members are refused. Whoever can shorten the file
  /// while it is read can crash the reader: the files of a feed must be nobody else's.
  package init(path: String) throws(FeedError) {
    self.path = path
    let descriptor = try FeedFile.openRegular(path)
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system(operation: "stat", path: path, errno: errno) }
    let count = Int(status.st_size)
    guard count >= 68, let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw .malformed(file: path, reason: "is too short for a package (\(Counted(count, "byte")))")
    }
    storage = .mapped
    bytes = UnsafeRawBufferPointer(start: start, count: count)
    do throws(FeedError) {
      container = try IpkContainer(bytes, path: path)
    } catch {
      munmap(start, count)
      throw error
    }
  }

  /// Reads a package that lies in memory; the bytes are copied. `name` is for messages.
  package init(copying content: some Collection<UInt8>, name: String) throws(FeedError) {
    path = name
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 16)
    copy.copyBytes(from: content)
    storage = .allocated
    bytes = UnsafeRawBufferPointer(copy)
    do throws(FeedError) {
      container = try IpkContainer(bytes, path: name)
    } catch {
      copy.deallocate()
      throw error
    }
  }

  deinit {
    switch storage {
    case .mapped: munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    case .allocated: bytes.deallocate()
    }
  }

  /// Opens one of the two archives. `limits` is asked with the size of its compressed form.
  func withArchive<Value>(
    _ archive: IpkContainer.Archive, limits: (_ compressed: Int64) -> ArchiveLimits, body: (ArchiveReader) throws(FeedError) -> Value
  ) throws(FeedError) -> Value {
    try container.withArchive(archive, of: bytes, path: path, limits: limits, body: body)
  }
}
