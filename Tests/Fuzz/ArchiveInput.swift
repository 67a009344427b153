import FoundationEssentials
import Glibc
import OCIImage

/// Images in a file.
enum ArchiveInput {
  /// In memory: the reader wants a path.
  private static let path = "/dev/shm/blockfarm-fuzz-\(getpid())"

  /// Reads the archive and every layer of its images to the end.
  static func take(_ bytes: [UInt8]) {
    guard (try? Data(bytes).write(to: URL(filePath: path))) != nil else { fatalError("cannot write \(path)") }
    defer { unlink(path) }
    guard let images = try? DockerArchiveReader.images(in: path) else { return }
    for case .image(let image) in images.candidates.map(\.content) {
      for layer in image.layers {
        guard let reader = try? LayerReader(layer, limit: 1 << 20) else { continue }
        var count: Int64 = 0
        while let part = try? reader.next() { count += Int64(part.count) }
        demand(count == reader.count || reader.count > 1 << 20, "a layer gives the bytes that it says, and no more than the limit")
      }
    }
  }
}
