import BuildModel
import Glibc
import OCIImage

/// Puts container images into the image store of a disk image, so that a device has them at its first boot.
package enum Preloader {
  /// Makes `output` from the disk image at `source`, with `images` in its data partition.
  ///
  /// `source` is never written to. A flasher's inner image is taken out, preloaded and delivered as the raw image; `flasherInner` is its file
  /// name below `/opt` (without it there must be just one). Work is done beside `output` and below `scratch`, which must exist; `output` appears,
  /// or is replaced, only when the whole is done and checked. Equal inputs with an equal `time` (seconds since 1970, for everything that the layers
  /// bring no time for) give equal bytes. Blocks the calling thread.
  package static func preload(
    image source: String, images: [PreloadImage], into output: String, scratch: String, flasherInner: String? = nil, time: Int64
  ) throws(PreloadError) -> PreloadReport {
    guard !images.isEmpty else { throw .unusableDiskImage(path: source, reason: "was given no images to preload") }
    if let reason = OutputPath.reasonNotFile(output) { throw .output(path: output, reason: reason) }
    let input = try openSource(source, output: output)
    let records = try images.map { (image) throws(PreloadError) in try ImageRecord(image) }
    guard !output.contains("?") else { throw .unusableDiskImage(path: output, reason: "has a '?' in its name, which e2fsck cannot take") }
    let partial = "\(output).preloading-\(getpid())"
    let working = try DiskFile(partial, .create)
    var kept = false
    defer { if !kept { unlink(partial) } }
    let report = try ScratchDirectory.with(in: scratch) { (directory) throws(PreloadError) in
      let inner = try makeWorkingCopy(of: input, in: working, flasherInner: flasherInner)
      var report = try fill(working, with: records, scratch: directory, time: time)
      report.flasherInner = inner
      return report
    }
    try working.sync()
    guard rename(partial, output) == 0 else { throw .system(operation: "rename to", path: output, errno: errno) }
    kept = true
    return report
  }

  private static func openSource(_ path: String, output: String) throws(PreloadError) -> DiskFile {
    let file = try DiskFile(path, .read)
    let status = try file.status()
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .unusableDiskImage(path: path, reason: "is a directory; only raw disk images can be preloaded")
    default: throw .unusableDiskImage(path: path, reason: "is not a regular file")
    }
    var other = stat()
    if stat(output, &other) == 0, other.st_dev == status.st_dev, other.st_ino == status.st_ino {
      throw .unusableDiskImage(path: path, reason: "is the output as well, and the input is never changed; name another output")
    }
    return file
  }

  /// Copies what is to be preloaded; returns the inner image's path when it came out of a flasher.
  private static func makeWorkingCopy(
    of input: borrowing DiskFile, in working: borrowing DiskFile, flasherInner: String?
  ) throws(PreloadError) -> String? {
    if let flasher = try FlasherImage(input) { return try flasher.extract(flasherInner, from: input, to: working) }
    // Before anything is copied: an image without data partition is refused at once.
    _ = try DataPartition(in: input)
    try working.become(copyOf: input)
    return nil
  }

  private static func fill(_ disk: borrowing DiskFile, with images: [ImageRecord], scratch: String, time: Int64) throws(PreloadError) -> PreloadReport
  {
    let data = try DataPartition(in: disk)
    let before = try disk.size()
    let path = "\(scratch)/data.ext4"
    let superblock = try data.extract(from: disk, to: path, time: time)
    let store = try ImageStore(readingFrom: Ext4FileSystem(path, writable: false))
    let layers = try LayerReading.read(missing(images, in: store), scratch: scratch, time: time)
    try makeRoom(for: images, layers, store, in: path, superblock, time: time)

    var report = PreloadReport(
      sizeBefore: before, sizeAfter: before, partitionBefore: data.partition.size, partitionAfter: data.partition.size, partition: data.label)
    // Put back while it is still small: the contents are written once, to where they stay.
    let partition = try data.putBack(path, into: disk)
    unlink(path)
    report.partitionAfter = partition.size
    report.sizeAfter = try disk.size()
    let fileSystem = try Ext4FileSystem(disk.path, writable: true, offset: partition.start)
    fileSystem.setTime(time)
    var writer = try ImageStoreWriter(fileSystem, time: time)
    try writer.add(images, layers: layers, report: &report)
    try fileSystem.close()
    try FileSystemTool.verify(disk.path, offset: partition.start, time: time)
    return report
  }

  /// The layers that have to be read, each once.
  private static func missing(_ images: [ImageRecord], in store: ImageStore) -> [StoredImage.Layer] {
    var seen: Set<Digest> = []
    return images.flatMap { image in
      zip(image.layers, image.chains).filter { store.chains[$0.1] == nil && seen.insert($0.0.diffID).inserted }.map(\.0)
    }
  }

  /// Lets the file system in the file at `path` grow until everything fits.
  private static func makeRoom(
    for images: [ImageRecord], _ layers: [Digest: UnpackedLayer], _ store: ImageStore, in path: String, _ before: Ext4Superblock, time: Int64
  ) throws(PreloadError) {
    var need = SpaceNeed(blockSize: before.blockSize)
    var counted = Set(store.chains.keys)
    for image in images {
      need.add(file: image.config.count)
      for (layer, chain) in zip(image.layers, image.chains) where counted.insert(chain).inserted {
        if let layer = layers[layer.diffID] { need.add(layer) }
      }
    }
    var superblock = before
    for _ in 0..<4 {
      if need.fits(superblock) { return }
      let file = try DiskFile(path, .update)
      let unit: Int64 = 1 << 20
      let size = try file.size()
      // The partition may be larger than its file system: that room comes first.
      let wanted = max(size, (need.size(for: superblock) + unit - 1) / unit * unit)
      if wanted > size { try file.truncate(to: wanted) }
      try FileSystemTool.resize(path, time: time)
      guard let grown = try Ext4Superblock(readingFrom: file, size: wanted) else { throw .fileSystem(path: path, reason: "was lost by resize2fs") }
      superblock = grown
    }
    throw .fileSystem(path: path, reason: "did not grow enough: \(need.blocks) blocks and \(need.inodes) inodes are needed")
  }
}
