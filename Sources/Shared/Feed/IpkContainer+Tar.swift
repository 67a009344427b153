import CArchive

extension IpkContainer {
  /// What the outer archive may unpack to: the two archives in it are compressed already.
  private static func limits(_ bytes: UnsafeRawBufferPointer) -> ArchiveLimits {
    ArchiveLimits(compressed: Int64(bytes.count), bytes: IpkLimits().bytes, ratio: IpkLimits().ratio)
  }

  static func withTar<Value>(
    _ bytes: UnsafeRawBufferPointer, path: String, body: (ArchiveReader) throws(FeedError) -> Value
  ) throws(FeedError) -> Value {
    try ArchiveReader.withTar(.memory(bytes, limits: limits(bytes)), name: path, body: body)
  }

  /// Names of the members, in their order; anything but files (and the directory that they lie in) is refused.
  static func tarMembers(_ bytes: UnsafeRawBufferPointer, path: String) throws(FeedError) -> [String] {
    do throws(FeedError) {
      return try withTar(bytes, path: path) { (reader) throws(FeedError) in
        var names: [String] = []
        while let header = try reader.next() {
          let name = name(header)
          if archive_entry_filetype(header) == 0o040000, name.isEmpty { continue }
          guard archive_entry_filetype(header) == 0o100000, archive_entry_hardlink(header) == nil, archive_entry_sparse_count(header) == 0 else {
            throw .malformed(file: path, reason: "member '\(name.prefix(100))' is no ordinary file")
          }
          guard names.count < memberLimit else { throw .malformed(file: path, reason: "has more than \(memberLimit) members") }
          names.append(name)
        }
        return names
      }
    } catch {
      throw .malformed(file: path, reason: "is not an ar archive, and no compressed tar of a package: \(error.reason)")
    }
  }

  /// Without `./` in front.
  static func name(_ header: OpaquePointer) -> String {
    let name = String(decoding: ArchiveReader.path(header), as: UTF8.self)
    return name.hasPrefix("./") ? String(name.dropFirst(2)) : name
  }
}
