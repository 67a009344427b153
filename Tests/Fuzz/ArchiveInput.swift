import FoundationEssentials
import Glibc
import OCIImage

/// Images in a file.
enum ArchiveInput {
  /// In memory: the reader wants a path.
  private static let path = "/dev/shm/blockfarm-fuzz-\(getpid())"

  /// Of a layer's tar.
  private static let limit: Int64 = 1 << 20

  /// Reads the archive and every layer of its images to the end, as bytes and as a tree.
  static func take(_ bytes: [UInt8]) {
    guard (try? Data(bytes).write(to: URL(filePath: path))) != nil else { fatalError("cannot write \(path)") }
    defer { unlink(path) }
    guard let images = try? DockerArchiveReader.images(in: path) else { return }
    var limits = TarReader.Limits()
    limits.bytes = limit
    for case .image(let image) in images.candidates.map(\.content) {
      for layer in image.layers {
        _ = try? LayerTree.read(layer, limits: limits, time: 0, visitor: Onlooker())
        guard let reader = try? LayerReader(layer, limit: limit) else { continue }
        var count: Int64 = 0
        while let part = try? reader.next() { count += Int64(part.count) }
        demand(count == reader.count || reader.count > limit, "a layer gives the bytes that it says, and no more than the limit")
      }
    }
  }

  /// Wants nothing but the tree.
  private final class Onlooker: LayerVisitor {
    func take(raw bytes: UnsafeRawBufferPointer) {}
    func take(content bytes: UnsafeRawBufferPointer) {}
    func end(_ member: TarMember) {}
  }
}
