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
    for layer in images.flatMap(\.layers) {
      var count: Int64 = 0
      let size = try? layer.read(limit: 1 << 20) { count += Int64($0.count) }
      if let size { demand(size == count && count <= 1 << 20, "a layer gives the bytes that it says, and no more than the limit") }
    }
  }
}
