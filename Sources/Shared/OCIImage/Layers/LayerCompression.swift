/// How a layer is stored, as its first bytes say: media types and names are not always true, and engines look at the bytes, too.
package enum LayerCompression: String, Hashable, Sendable {
  case none, gzip, zstd, bzip2, xz

  private static let marks: [(LayerCompression, [UInt8])] = [
    (.gzip, [0x1F, 0x8B]), (.zstd, [0x28, 0xB5, 0x2F, 0xFD]), (.bzip2, [0x42, 0x5A, 0x68]), (.xz, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]),
  ]

  /// By the first bytes of a file.
  init(_ first: [UInt8]) { self = Self.marks.first { first.starts(with: $0.1) }?.0 ?? .none }

  /// Of the `size` bytes at `offset` of a file.
  init(at offset: Int64, size: Int64, in file: InputFile) throws(OCIImageError) {
    self.init(try file.bytes(at: offset, count: Int(min(size, 6))))
  }

  /// The program that unpacks it; nil where there is nothing to unpack.
  var unpacker: String? {
    switch self {
    case .none: nil
    case .gzip: "gunzip"
    case .zstd: "unzstd"
    case .bzip2: "bunzip2"
    case .xz: "unxz"
    }
  }

  /// Why a layer that is stored so is refused; nil for those that are read.
  var reasonNotReadable: String? {
    switch self {
    case .none, .gzip: nil
    case .zstd, .bzip2, .xz: "it is compressed with \(rawValue), which devices cannot read; use gzip"
    }
  }
}
