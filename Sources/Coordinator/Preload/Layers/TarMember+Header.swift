extension TarMember {
  /// Puts together what a header and the extended headers before it say; PAX records win over GNU's long names, those over the header.
  init(_ header: TarHeaderBlock, _ records: PaxRecords, longName: [UInt8]?, longLink: [UInt8]?) throws(LayerFault) {
    name = records.values["path"] ?? longName ?? header.name
    let link = records.values["linkpath"] ?? longLink ?? header.linkName
    guard !name.contains(0), !link.contains(0) else { throw LayerFault("has a name with a NUL byte") }
    var type = header.type
    // Before POSIX, a directory was a file whose name ends in a slash.
    if type == 0 { type = name.last == 47 ? UInt8(ascii: "5") : UInt8(ascii: "0") }
    switch type {
    case UInt8(ascii: "0"):
      let own = try header.size()
      let size = try records.integer("size") ?? own
      guard size >= 0, size < 1 << 44 else { throw LayerFault("has a file of \(size) bytes") }
      kind = .file(size: size)
    case UInt8(ascii: "1"): kind = .hardlink(target: link)
    case UInt8(ascii: "2"): kind = .symlink(target: link)
    case UInt8(ascii: "3"): kind = try .characterDevice(major: Self.device(header.deviceMajor(), 12), minor: Self.device(header.deviceMinor(), 20))
    case UInt8(ascii: "4"): kind = try .blockDevice(major: Self.device(header.deviceMajor(), 12), minor: Self.device(header.deviceMinor(), 20))
    case UInt8(ascii: "5"): kind = .directory
    case UInt8(ascii: "6"): kind = .fifo
    case UInt8(ascii: "S"): throw LayerFault("has a GNU sparse file; pack it as a plain file")
    default: throw LayerFault("has a tar member of the unknown type \(type)")
    }
    let own = (mtime: try header.mtime(), uid: try header.uid(), gid: try header.gid())
    let time = try records.time("mtime") ?? (own.mtime, 0)
    // The engine lets times that its clock type cannot hold, before 1970 and after 2262, be the beginning.
    let held: (seconds: Int64, nanoseconds: UInt32) = (0..<9_223_372_036).contains(time.seconds) ? time : (0, 0)
    attributes = Attributes(
      mode: UInt16(try header.mode() & 0o7777), uid: try Self.owner(records.integer("uid") ?? own.uid),
      gid: try Self.owner(records.integer("gid") ?? own.gid), mtime: held.seconds, nanoseconds: held.nanoseconds)
    xattrs = records.xattrs
  }

  private static func owner(_ value: Int64) throws(LayerFault) -> UInt32 {
    guard let owner = UInt32(exactly: value) else { throw LayerFault("has an impossible owner: \(value)") }
    return owner
  }

  private static func device(_ value: Int64, _ bits: Int) throws(LayerFault) -> UInt32 {
    guard value >= 0, value < 1 << Int64(bits) else { throw LayerFault("has an impossible device number: \(value)") }
    return UInt32(value)
  }
}
