import BuildModel
import CanonicalJSON

/// The `image.json` of a split image. All numbers are decimal.
struct SplitImageManifest: Codable, Hashable, Sendable {
  struct Part: Codable, Hashable, Sendable {
    /// Without the directory.
    var filename: String
    /// CRC-32 of the bytes before compression.
    var crc: UInt32
    /// Bytes before compression.
    var len: Int64
    /// Bytes of the file.
    var zLen: Int64
    /// The partition's number in parentheses; gaps have none.
    var partitionIndex: String?
  }
  struct Image: Codable, Hashable, Sendable { var parts: [Part] }

  /// 1024 partitions and as many gaps fit four times.
  private static let longest: Int64 = 2 << 20

  var image: Image

  private enum CodingKeys: String, CodingKey { case image = "resin.img" }

  init(parts: [Part]) { image = Image(parts: parts) }

  init(readingFrom path: String) throws(PreloadError) {
    let file = try DiskFile(path, .read)
    let size = try file.size()
    guard size <= Self.longest else { throw .splitImage(path: path, reason: "has \(Counted(size, "byte")), too many for a manifest") }
    let bytes = try file.read(Int(size), at: 0)
    do { self = try CanonicalJSON.decode(Self.self, from: bytes, limit: Int(Self.longest)) } catch {
      throw .splitImage(path: path, reason: "is not the manifest of a split image: \(error)")
    }
  }

  func write(to path: String) throws(PreloadError) {
    let bytes: [UInt8]
    do { bytes = try CanonicalJSON.readable(self) } catch { throw .splitImage(path: path, reason: "\(error)") }
    let file = try DiskFile(path, .create)
    try file.write(bytes, at: 0)
    try file.sync()
  }

  static func fileName(_ index: Int) -> String { "part-\(index).deflate" }

  static func partitionIndex(_ partition: Int?) -> String? { partition.map { "(\($0))" } }
}
