/// One member of a layer's tar.
struct TarMember: Sendable {
  enum Kind: Sendable, Equatable {
    case directory
    case file(size: Int64)
    case symlink(target: [UInt8])
    case hardlink(target: [UInt8])
    case characterDevice(major: UInt32, minor: UInt32)
    case blockDevice(major: UInt32, minor: UInt32)
    case fifo
  }
  /// As the tar has it.
  let name: [UInt8]
  let kind: Kind
  let attributes: Attributes
  let xattrs: [(name: String, value: [UInt8])]

  /// For messages.
  var quotedName: String { "'\(String(decoding: name, as: UTF8.self))'" }
}
