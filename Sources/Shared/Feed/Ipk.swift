import BuildModel
import FoundationEssentials
import Glibc

/// One ipk package file, mapped into memory: an `ar` archive of `debian-binary`, `control.tar.*` and `data.tar.*`.
package final class Ipk {
  package struct Member: Sendable {
    package var name: String
    package var range: Range<Int>
  }

  package let path: String
  private enum Storage { case mapped, allocated }

  private let bytes: UnsafeRawBufferPointer
  private let storage: Storage
  package let control: Member
  package let data: Member

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
      throw .malformed(file: path, reason: "is too short for a package (\(count) bytes)")
    }
    storage = .mapped
    bytes = UnsafeRawBufferPointer(start: start, count: count)
    do throws(FeedError) {
      (control, data) = try Self.members(bytes, path: path)
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
      (control, data) = try Self.members(bytes, path: name)
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

  /// A member's bytes, valid as long as the package.
  func slice(_ member: Member) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[member.range]) }

  private static func only(_ members: [Member], prefix: String, path: String) throws(FeedError) -> Member {
    let found = members.filter { $0.name == prefix || $0.name.hasPrefix(prefix + ".") }
    guard found.count == 1 else { throw .malformed(file: path, reason: "has \(found.count) members '\(prefix).*' instead of one") }
    return found[0]
  }

  private static func members(_ bytes: UnsafeRawBufferPointer, path: String) throws(FeedError) -> (control: Member, data: Member) {
    let members = try all(bytes, path: path)
    guard members.first?.name == "debian-binary" else { throw .malformed(file: path, reason: "does not begin with debian-binary") }
    return (try only(members, prefix: "control.tar", path: path), try only(members, prefix: "data.tar", path: path))
  }

  /// ar(5), the common variant: 60-byte headers, members padded to even length.
  private static func all(_ bytes: UnsafeRawBufferPointer, path: String) throws(FeedError) -> [Member] {
    guard bytes.prefix(8).elementsEqual("!<arch>\n".utf8) else { throw .malformed(file: path, reason: "is not an ar archive") }
    var members: [Member] = []
    var offset = 8
    while offset < bytes.count {
      guard offset + 60 <= bytes.count, bytes[offset + 58] == 0x60, bytes[offset + 59] == 0x0a else {
        throw .malformed(file: path, reason: "has a broken member header at byte \(offset)")
      }
      var name = field(bytes[offset..<offset + 16])
      if name.hasSuffix("/") { name.removeLast() }
      guard let size = Int(field(bytes[offset + 48..<offset + 58])), size >= 0, size <= bytes.count - offset - 60 else {
        throw .malformed(file: path, reason: "member '\(name)' is larger than the file")
      }
      guard members.count < 16 else { throw .malformed(file: path, reason: "has more than 16 members") }
      members.append(Member(name: name, range: offset + 60..<offset + 60 + size))
      offset += 60 + size + size % 2
    }
    return members
  }

  private static func field(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
    String(decoding: bytes.prefix { $0 != 32 && $0 != 0 }, as: UTF8.self)
  }
}
