import BuildModel

/// Puts tar headers and the extended headers before them together: ustar, pax and GNU's long names, as Go's reader does it, on which container
/// engines stand (go.dev, archive/tar). What cannot be understood, or is understood differently by others, is refused.
struct TarHeaderReader {
  /// What a header block begins.
  enum Step {
    /// A body of this many bytes that describes the next member; hand it to ``takeExtension(_:)``.
    case extended(size: Int)
    /// A member, whose bytes follow if it is a file.
    case member(TarMember)
    /// A block of zeros: two of them end the archive.
    case zeros
  }

  /// Longer extensions than any real attribute needs are refused.
  static let extensionLimit = 1 << 20
  /// So many extended headers may stand before one member.
  private static let extensionsLimit = 16
  /// 16 TiB, as much as ext4 keeps in a file.
  private static let contentLimit: Int64 = 1 << 44

  private var records = PaxRecords()
  private var longName: [UInt8]?
  private var longLink: [UInt8]?
  private var extensionType: UInt8 = 0
  private var extensions = 0

  /// Reads one block of 512 bytes.
  mutating func take(_ block: [UInt8]) throws(TarFault) -> Step {
    guard block.contains(where: { $0 != 0 }) else { return .zeros }
    let header = try TarHeaderBlock(block)
    let size = try header.contentSize()
    switch header.type {
    case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K"):
      guard (0...Int64(Self.extensionLimit)).contains(size) else { throw TarFault("it has an extended header of \(Counted(size, "byte"))") }
      extensions += 1
      guard extensions <= Self.extensionsLimit else { throw TarFault("it has more than \(Self.extensionsLimit) extended headers before one entry") }
      extensionType = header.type
      return .extended(size: Int(size))
    default:
      let member = try member(header, size: size)
      self = TarHeaderReader()
      return .member(member)
    }
  }

  /// Takes the body that ``Step/extended(size:)`` announced.
  mutating func takeExtension(_ bytes: [UInt8]) throws(TarFault) {
    switch extensionType {
    case UInt8(ascii: "L"): longName = Array(bytes.prefix { $0 != 0 })
    case UInt8(ascii: "K"): longLink = Array(bytes.prefix { $0 != 0 })
    case UInt8(ascii: "x"): records = try PaxRecords(bytes)
    // Engines read global headers and do not apply them, other programs do: what would make a difference is refused.
    default: if let key = try PaxRecords(bytes).firstApplied { throw TarFault("a global header sets '\(key.prefix(80))'") }
    }
  }

  private func member(_ header: TarHeaderBlock, size: Int64) throws(TarFault) -> TarMember {
    let name = try one(of: records["path"], longName) ?? header.name
    let link = try one(of: records["linkpath"], longLink) ?? header.linkName
    guard !name.contains(0), !link.contains(0) else { throw TarFault("it has a name with a NUL byte") }
    let own = (mtime: try header.mtime(), uid: try header.uid(), gid: try header.gid())
    let time = try records.time("mtime") ?? (own.mtime, 0)
    return TarMember(
      name: name, kind: try kind(header, name: name, link: link, size: records.integer("size") ?? size), mode: try header.mode(),
      uid: try Self.owner(records.integer("uid") ?? own.uid), gid: try Self.owner(records.integer("gid") ?? own.gid),
      mtime: time.seconds, nanoseconds: time.nanoseconds, xattrs: records.xattrs)
  }

  /// pax' and GNU's ways to give one thing: programs differ in which of them counts.
  private func one(of pax: [UInt8]?, _ gnu: [UInt8]?) throws(TarFault) -> [UInt8]? {
    if let pax, let gnu, pax != gnu { throw TarFault("an entry has two names, one as pax has it and one as GNU does") }
    return pax ?? gnu
  }

  private func kind(_ header: TarHeaderBlock, name: [UInt8], link: [UInt8], size: Int64) throws(TarFault) -> TarEntry.Kind {
    guard size >= 0 else { throw TarFault("it has an entry of \(Counted(size, "byte"))") }
    // Before POSIX a directory was a file whose name ends in a slash.
    let isOldDirectory = header.type == 0 && name.last == UInt8(ascii: "/")
    switch isOldDirectory ? UInt8(ascii: "5") : header.type {
    case 0, UInt8(ascii: "0"):
      guard size < Self.contentLimit else { throw TarFault("it has a file of \(Counted(size, "byte"))") }
      return .file(size: size)
    case UInt8(ascii: "1"): return .hardlink(target: link)
    case UInt8(ascii: "2"): return .symlink(target: link)
    case UInt8(ascii: "3"):
      let device = try header.device()
      return .characterDevice(major: device.major, minor: device.minor)
    case UInt8(ascii: "4"):
      let device = try header.device()
      return .blockDevice(major: device.major, minor: device.minor)
    case UInt8(ascii: "5"): return .directory
    case UInt8(ascii: "6"): return .fifo
    case UInt8(ascii: "S"): throw TarFault("it has a GNU sparse file; pack it as a plain file")
    default: throw TarFault("it has an entry of the unknown type \(header.type)")
    }
  }

  private static func owner(_ value: Int64) throws(TarFault) -> UInt32 {
    guard let owner = UInt32(exactly: value) else { throw TarFault("it has the impossible owner \(value)") }
    return owner
  }
}
