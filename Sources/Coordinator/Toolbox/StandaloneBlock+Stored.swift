import Blocks
import BuildModel
import FoundationEssentials
import OCIImage

/// A block image as it lies on disk, with the lock beside it.
package struct StoredBlock: Sendable {
  /// As it was asked for.
  package var place: String
  package var image: StoredImage
  /// nil where none lies beside the image.
  package var lock: BlockLock?

  /// Where the lock of a layout's image lies.
  static func lockPath(ofLayout directory: String, image name: String) -> String { "\(directory)/\(name).lock.json" }

  /// Where the lock of a docker-archive lies: its name without `.docker` or `.tar`, and `.lock.json`.
  static func lockPath(ofArchive path: String) -> String {
    for suffix in [".docker", ".tar"] where path.hasSuffix(suffix) { return path.dropLast(suffix.count) + ".lock.json" }
    return path + ".lock.json"
  }

  /// Reads `LAYOUT`, `LAYOUT:NAME`, `ARCHIVE` or `ARCHIVE:TAG`. Without a name there must be one image. Layers are not read.
  package init(_ place: String) throws(ToolboxError) {
    let (path, name) = try Self.split(place)
    do {
      var isDirectory = false
      _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      let images = isDirectory ? try ImageLayoutReader.images(in: path) : try DockerArchiveReader.images(in: path)
      let image = try Self.choose(images, named: name, in: place)
      self.image = image
      self.place = place
      let known = image.names.first.flatMap { RelativePath($0) }?.text
      let lock = isDirectory ? known.flatMap { $0.contains("/") ? nil : Self.lockPath(ofLayout: path, image: $0) } : Self.lockPath(ofArchive: path)
      self.lock = try lock.flatMap { FileManager.default.fileExists(atPath: $0) ? try Self.readLock($0) : nil }
    } catch let error as ToolboxError {
      throw error
    } catch {
      throw .usage("\(error)")
    }
  }

  /// A path may hold colons: the first place where one ends something that is there counts.
  private static func split(_ place: String) throws(ToolboxError) -> (path: String, name: String?) {
    if FileManager.default.fileExists(atPath: place) { return (place, nil) }
    for index in place.indices where place[index] == ":" {
      let path = String(place[..<index])
      if !path.isEmpty, FileManager.default.fileExists(atPath: path) { return (path, String(place[place.index(after: index)...])) }
    }
    throw .usage("'\(place)' is neither an image layout nor a docker-archive: nothing is there")
  }

  private static func choose(_ images: [StoredImage], named name: String?, in place: String) throws(ToolboxError) -> StoredImage {
    let names = images.flatMap(\.names)
    let found = name.map { name in images.filter { $0.names.contains(name) } } ?? images
    if found.count == 1 { return found[0] }
    let known = names.isEmpty ? "its images have no names" : "it has: \(names.prefix(40).joined(separator: ", "))"
    throw .usage(
      found.isEmpty
        ? "no image \(name.map { "'\($0)' " } ?? "")in \(place); \(known)" : "\(found.count) images in \(place), say which one by ':NAME'; \(known)")
  }

  /// Reads a lock file.
  package static func readLock(_ path: String) throws(ToolboxError) -> BlockLock {
    do {
      let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
      guard size <= BlockLock.sizeLimit else { throw ToolboxError.usage("\(path) has \(size) bytes: no lock") }
      return try BlockLock.parse(Array(Data(contentsOf: URL(filePath: path))), file: path)
    } catch let error as ToolboxError {
      throw error
    } catch {
      throw .usage("\(error)")
    }
  }
}
