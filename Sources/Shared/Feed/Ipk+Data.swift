import CArchive
import Glibc

extension Ipk {
  /// Streams the data archive: each entry, and for files their bytes through the closure that `entry` returns (nil to skip them).
  ///
  /// Refused by name: absolute paths, `..`, fifos, sockets, sparse oddities, more than `limits` allow.
  package func readData(
    package name: String, limits: IpkLimits = IpkLimits(),
    entry body: (IpkEntry) throws -> ((UnsafeRawBufferPointer) throws -> Void)?
  ) throws {
    let archive = slice(data)
    var entries = 0
    var total: Int64 = 0
    func refuse(_ entry: String, _ rule: String) -> FeedError { .refused(package: name, entry: entry, rule: rule) }
    func read(_ reader: ArchiveReader) throws {
      while let header = try reader.next() {
        entries += 1
        let raw = Self.path(header)
        let text = String(decoding: raw, as: UTF8.self)
        guard entries <= limits.entries else { throw refuse(text, "more than \(limits.entries) entries") }
        let path = try Self.clean(raw) { refuse(text, $0) }
        guard let kind = try Self.kind(header, refuse: { refuse(text, $0) }) else {
          throw refuse(text, "only files, directories, links and devices are allowed")
        }
        if path.isEmpty, kind != .directory { throw refuse(text, "the root must be a directory") }
        guard archive_entry_acl_types(header) == 0 else { throw refuse(text, "access control lists are not supported") }
        let item = IpkEntry(
          path: path, kind: kind, mode: UInt32(archive_entry_perm(header)) & 0o7777,
          uid: try Self.owner(archive_entry_uid(header)) { refuse(text, $0) },
          gid: try Self.owner(archive_entry_gid(header)) { refuse(text, $0) },
          mtime: Int64(archive_entry_mtime(header)), xattrs: Self.xattrs(header))
        let sink = try body(item)
        guard case .file(let size) = kind else { continue }
        guard size >= 0, size <= limits.bytes else { throw refuse(text, "larger than \(limits.bytes >> 20) MiB") }
        var count: Int64 = 0
        try reader.data { piece in
          count += Int64(piece.count)
          total += Int64(piece.count)
          guard count <= size else { throw refuse(text, "more bytes than its header says") }
          guard total <= limits.bytes, total < 64 << 20 || total / Int64(max(1, archive.count)) <= limits.ratio else {
            throw refuse(text, "the package unpacks to more than \(limits.ratio) times its size")
          }
          try sink?(piece)
        }
        guard count == size else { throw refuse(text, "\(count) bytes instead of \(size)") }
      }
    }
    var failure: (any Error)?
    try ArchiveReader.withTar(archive, name: "\(path) (\(data.name))") { (reader) throws(FeedError) in
      do { try read(reader) } catch let error as FeedError { throw error } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Names of the maintainer scripts in the control archive.
  package func maintainerScripts() throws(FeedError) -> [String] {
    let known: Set<String> = ["preinst", "postinst", "prerm", "postrm"]
    return try ArchiveReader.withTar(slice(control), name: "\(path) (\(control.name))") { (reader) throws(FeedError) in
      var found: [String] = []
      var count = 0
      while let header = try reader.next() {
        count += 1
        guard count < 1000, archive_entry_size(header) <= 16 << 20 else {
          throw .malformed(file: self.path, reason: "control archive with more than 1000 entries or one of more than 16 MiB")
        }
        let name = String(decoding: Self.path(header), as: UTF8.self)
        let last = name.split(separator: "/").last.map(String.init) ?? name
        if known.contains(last) { found.append(last) }
      }
      return found.sorted()
    }
  }

  private static func path(_ entry: OpaquePointer) -> [UInt8] {
    guard let text = archive_entry_pathname(entry) ?? archive_entry_pathname_utf8(entry) else { return [] }
    return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
  }

  /// Removes `./` and empty components; what could leave the root is refused.
  static func clean(_ raw: [UInt8], refuse: (String) -> FeedError) throws -> [UInt8] {
    if raw.first == UInt8(ascii: "/") { throw refuse("absolute path") }
    guard raw.count <= 4096 else { throw refuse("path of more than 4096 bytes") }
    var parts: [ArraySlice<UInt8>] = []
    for part in raw.split(separator: UInt8(ascii: "/")) {
      if part.elementsEqual(".".utf8) { continue }
      if part.elementsEqual("..".utf8) { throw refuse("'..' in the path") }
      guard part.count <= 255 else { throw refuse("a name of more than 255 bytes") }
      parts.append(part)
    }
    return Array(parts.joined(separator: [UInt8(ascii: "/")]))
  }

  private static func kind(_ entry: OpaquePointer, refuse: (String) -> FeedError) throws -> IpkEntry.Kind? {
    if let target = archive_entry_hardlink(entry) ?? archive_entry_hardlink_utf8(entry) {
      let raw = Array(UnsafeRawBufferPointer(start: target, count: strlen(target)))
      return .hardlink(target: try clean(raw, refuse: { refuse("hard link target: " + $0) }))
    }
    func device(_ number: dev_t) throws -> UInt32 {
      // Linux has 12 bits for the major and 20 for the minor number.
      guard number < 1 << 20 else { throw refuse("device number \(number)") }
      return UInt32(number)
    }
    // The AE_IF* constants of archive_entry.h, which are casts and therefore not imported.
    switch archive_entry_filetype(entry) {
    case 0o040000: return .directory
    case 0o100000: return .file(size: archive_entry_size(entry))
    case 0o120000:
      guard let target = archive_entry_symlink(entry) ?? archive_entry_symlink_utf8(entry) else { throw refuse("symbolic link without target") }
      let bytes = Array(UnsafeRawBufferPointer(start: target, count: strlen(target)))
      guard !bytes.isEmpty, bytes.count <= 4095 else { throw refuse("symbolic link target of \(bytes.count) bytes") }
      return .symlink(target: bytes)
    case 0o020000: return .characterDevice(major: try device(archive_entry_rdevmajor(entry)), minor: try device(archive_entry_rdevminor(entry)))
    case 0o060000: return .blockDevice(major: try device(archive_entry_rdevmajor(entry)), minor: try device(archive_entry_rdevminor(entry)))
    default: return nil
    }
  }

  private static func owner(_ id: Int64, refuse: (String) -> FeedError) throws -> UInt32 {
    guard id >= 0, id < Int64(UInt32.max) else { throw refuse("owner \(id)") }
    return UInt32(id)
  }

  private static func xattrs(_ entry: OpaquePointer) -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    archive_entry_xattr_reset(entry)
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var size = 0
    while archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK, let name {
      result[String(cString: name)] = Array(UnsafeRawBufferPointer(start: value, count: size))
    }
    return result
  }
}
