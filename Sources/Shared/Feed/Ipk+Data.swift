import BuildModel
import CArchive
import Glibc

extension Ipk {
  /// Streams the data archive: each entry, and for files their bytes through the closure that `entry` returns (nil to skip them).
  ///
  /// Refused by name: absolute paths, `..`, paths that are given twice or lead through a link, hard links to anything but an earlier file,
  /// fifos, sockets, sparse files, access control lists, more than `limits` allow.
  package func readData(
    package name: String, limits: IpkLimits = IpkLimits(),
    entry body: (IpkEntry) throws -> ((UnsafeRawBufferPointer) throws -> Void)?
  ) throws {
    var current = ""
    func refuse(_ rule: String) -> FeedError { .refused(package: name, entry: current, rule: rule) }
    func read(_ reader: ArchiveReader) throws {
      var ledger = IpkLedger(limits: limits)
      var entries = 0
      while let header = try reader.next() {
        entries += 1
        let raw = ArchiveReader.path(header)
        current = String(decoding: raw.prefix(4096), as: UTF8.self)
        guard entries <= limits.entries else { throw refuse("more than \(limits.entries) entries") }
        let item = try Self.entry(header, path: try Self.clean(raw, refuse: refuse), refuse: refuse)
        if let rule = ledger.add(item) { throw refuse(rule) }
        if case .file(let size) = item.kind, !(0...limits.file).contains(size) { throw refuse("a file of more than \(limits.file) bytes") }
        let sink = try body(item)
        guard case .file(let size) = item.kind else { continue }
        var count: Int64 = 0
        try reader.data { piece in
          count += Int64(piece.count)
          guard count <= size else { throw refuse("more bytes than its header says") }
          try sink?(piece)
        }
        guard count == size else { throw refuse("\(Counted(count, "byte")) instead of \(size)") }
      }
    }
    var failure: (any Error)?
    func bounds(_ compressed: Int64) -> ArchiveLimits { ArchiveLimits(compressed: compressed, bytes: limits.bytes, ratio: limits.ratio) }
    try withArchive(.data, limits: bounds) { (reader) throws(FeedError) in
      do {
        try read(reader)
      } catch {
        failure = reader.exceeded.map { refuse("the package \($0)") } ?? error
      }
    }
    if let failure { throw failure }
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

  private static func entry(_ header: OpaquePointer, path: [UInt8], refuse: (String) -> FeedError) throws -> IpkEntry {
    guard let kind = try kind(header, refuse: refuse) else { throw refuse("only files, directories, links and devices are allowed") }
    if path.isEmpty, kind != .directory { throw refuse("the root must be a directory") }
    if case .file = kind {} else if archive_entry_size(header) > 0 { throw refuse("data in an entry that is no file") }
    guard archive_entry_sparse_count(header) == 0 else { throw refuse("sparse files are not supported") }
    guard archive_entry_acl_types(header) == 0 else { throw refuse("access control lists are not supported") }
    return IpkEntry(
      path: path, kind: kind, mode: UInt32(archive_entry_perm(header)) & 0o7777, uid: try owner(archive_entry_uid(header), refuse: refuse),
      gid: try owner(archive_entry_gid(header), refuse: refuse), mtime: Int64(archive_entry_mtime(header)), xattrs: xattrs(header))
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
      guard !bytes.isEmpty, bytes.count <= 4095 else { throw refuse("symbolic link target of \(Counted(bytes.count, "byte"))") }
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
