import Blocks
import BuildModel
import FoundationEssentials
import Glibc
import OCIImage

/// A block image as it lies on disk, with the lock beside it.
package struct StoredBlock: Sendable {
  /// As it was asked for.
  package var place: String
  package var image: StoredImage
  /// A line for each thing that is beside the image and was left out.
  package var notes: [String]
  /// nil where none lies beside the image.
  package var lock: BlockLock?

  /// Where the lock of a layout's image lies.
  static func lockPath(ofLayout directory: String, image name: String) -> String { "\(directory)/\(name).lock.json" }

  /// Where the lock of a docker-archive lies: its name without `.docker` or `.tar`, and `.lock.json`.
  static func lockPath(ofArchive path: String) -> String {
    for suffix in [".docker", ".tar"] where path.hasSuffix(suffix) { return path.dropLast(suffix.count) + ".lock.json" }
    return path + ".lock.json"
  }

  /// Reads `LAYOUT`, `LAYOUT:NAME`, `ARCHIVE` or `ARCHIVE:TAG`. Without a name there must be one image; `platform` says which one, where it exists
  /// for several. Layers are not read.
  package init(_ place: String, platform: Platform? = nil) throws(ToolboxError) {
    let found = try ImagePlace(place)
    do throws(OCIImageError) {
      var images = try found.images()
      image = try images.select(found.name, platform: platform)
      notes = images.notes
    } catch { throw ToolboxError(error) }
    self.place = place
    let known = image.names.first.flatMap { RelativePath($0) }?.text
    let path =
      found.isDirectory
      ? known.flatMap { $0.contains("/") ? nil : Self.lockPath(ofLayout: found.path, image: $0) } : Self.lockPath(ofArchive: found.path)
    lock = if let path, access(path, F_OK) == 0 { try Self.readLock(path) } else { nil }
  }

  /// Reads a lock file.
  package static func readLock(_ path: String) throws(ToolboxError) -> BlockLock {
    do {
      var status = stat()
      guard stat(path, &status) == 0 else { throw ToolboxError.usage("\(path): \(String(cString: strerror(errno)))") }
      guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= BlockLock.sizeLimit else {
        throw ToolboxError.usage("\(path) is not a lock: it is not a file of at most \(BlockLock.sizeLimit) bytes")
      }
      return try BlockLock.parse(Array(Data(contentsOf: URL(filePath: path))), file: path)
    } catch let error as BlocksError {
      throw .usage(error.description)
    } catch {
      throw ToolboxError(error)
    }
  }
}
