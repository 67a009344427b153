import BuildModel
import FoundationEssentials
import Glibc

/// Disk images in the form in which they are release assets: a deflated file for every partition and every gap between them, and a manifest.
///
/// `compressed/part-N.deflate` is raw DEFLATE that ends in an empty block which is not a final one, so that the parts, in order and ended by
/// ``SplitImage/finalBlock``, are one stream that inflates to the disk image. `image.json` lists them. This is what balenaCloud's image maker reads.
package enum SplitImage {
  /// Which of a device type's disk images it is; that goes into the names.
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case image, flasher, raw

    private var suffix: String { self == .image ? "" : "-\(rawValue)" }
    /// The directory of the parts, for example `compressed-flasher`.
    package var folder: String { "compressed\(suffix)" }
    /// The manifest's file name, for example `image-flasher.json`.
    package var manifest: String { "image\(suffix).json" }
  }

  /// The empty block that ends a DEFLATE stream (RFC 1951, 3.2.6), for behind the last part.
  static let finalBlock: [UInt8] = [3, 0]

  /// Writes the parts and the manifest of the disk image at `image` into `directory`, which must exist.
  ///
  /// Returns the paths of all files relative to `directory`: the parts in disk order, then the manifest. They are also the keys of release assets.
  /// What an earlier call left there for the same `kind` is replaced, and only when the new parts are whole; a manifest that is there has all of
  /// its parts. Equal bytes in the image give equal files, wherever its holes are and however many cores there are. Blocks the calling thread.
  package static func write(image: String, kind: Kind, into directory: String) throws(PreloadError) -> [String] {
    // Each lane holds up to 4 MiB.
    try write(image: image, kind: kind, into: directory, lanes: min(16, max(1, ProcessInfo.processInfo.activeProcessorCount)))
  }

  static func write(image: String, kind: Kind, into directory: String, lanes: Int) throws(PreloadError) -> [String] {
    let file = try open(image)
    let size = try file.size()
    let plan = SplitImagePart.all(of: try PartitionTable(readingFrom: file), size: size)
    let writer = SplitPartWriter(lanes: lanes)
    try ScratchDirectory.with(in: directory) { (scratch) throws(PreloadError) in
      guard mkdir("\(scratch)/\(kind.folder)", 0o755) == 0 else {
        throw .system(operation: "make the directory", path: "\(scratch)/\(kind.folder)", errno: errno)
      }
      var parts: [SplitImageManifest.Part] = []
      for (index, part) in plan.enumerated() {
        parts.append(try writer.write(part, of: file, to: "\(scratch)/\(kind.folder)", as: SplitImageManifest.fileName(index)))
      }
      guard try file.size() == size else { throw .unusableDiskImage(path: image, reason: "changed its size while it was split") }
      try SplitImageManifest(parts: parts).write(to: "\(scratch)/\(kind.manifest)")
      try replace(kind, in: directory, from: scratch)
    }
    return plan.indices.map { "\(kind.folder)/\(SplitImageManifest.fileName($0))" } + [kind.manifest]
  }

  static func open(_ image: String) throws(PreloadError) -> DiskFile {
    let file = try DiskFile(image, .read)
    guard try file.status().st_mode & S_IFMT == S_IFREG else { throw .unusableDiskImage(path: image, reason: "is not a regular file") }
    return file
  }

  /// The manifest goes first and comes last.
  private static func replace(_ kind: Kind, in directory: String, from scratch: String) throws(PreloadError) {
    let manifest = "\(directory)/\(kind.manifest)"
    let folder = "\(directory)/\(kind.folder)"
    if let reason = OutputPath.reasonNotFile(manifest) { throw .output(path: manifest, reason: reason) }
    if let reason = OutputPath.reasonNotDirectory(folder) { throw .output(path: folder, reason: reason) }
    guard unlink(manifest) == 0 || errno == ENOENT else { throw .system(operation: "replace", path: manifest, errno: errno) }
    // What could not be removed makes the rename fail.
    try? FileManager.default.removeItem(atPath: folder)
    for (from, to) in [("\(scratch)/\(kind.folder)", folder), ("\(scratch)/\(kind.manifest)", manifest)] {
      guard rename(from, to) == 0 else { throw .system(operation: "rename to", path: to, errno: errno) }
    }
  }
}
