/// The partition that holds the image store, found by its file system's label and never by number.
struct DataPartition: Sendable {
  let label: String
  let partition: Partition
  let table: PartitionTable

  init(in image: borrowing DiskFile) throws(PreloadError) {
    let table = try PartitionTable(readingFrom: image)
    let labelled = try table.labels(in: image)
    let found = labelled.filter { DataLabel.all.contains($0.label) }
    guard let one = found.first else { throw .noDataPartition(image: image.path, labels: labelled.map(\.label)) }
    guard found.count == 1 else {
      let numbers = found.map { "\($0.partition.number) (\($0.label))" }.joined(separator: ", ")
      throw .unusableDiskImage(path: image.path, reason: "has several data partitions: \(numbers)")
    }
    label = one.label
    partition = one.partition
    self.table = table
  }

  /// Copies the partition to a new sparse file at `path` and makes sure that it can be written.
  func extract(from image: borrowing DiskFile, to path: String, time: Int64) throws(PreloadError) -> Ext4Superblock {
    do {
      let file = try DiskFile(path, .create)
      try file.truncate(to: partition.size)
      try file.copyData(from: image, range: partition.start..<partition.end, to: 0)
    }
    _ = try checked(path, image: image.path)
    try FileSystemTool.repair(path, time: time)
    let superblock = try checked(path, image: image.path)
    guard !superblock.needsRecovery, !superblock.hasErrors else {
      throw .fileSystem(path: place(in: image.path), reason: "is still not clean after e2fsck")
    }
    return superblock
  }

  private func checked(_ path: String, image: String) throws(PreloadError) -> Ext4Superblock {
    let file = try DiskFile(path, .read)
    let size = try file.size()
    guard let superblock = try Ext4Superblock(readingFrom: file, size: size) else {
      throw .fileSystem(path: place(in: image), reason: "has no ext4 superblock")
    }
    if let reason = superblock.reasonNotWritable(within: size) { throw .fileSystem(path: place(in: image), reason: reason) }
    return superblock
  }

  /// Puts the file system at `path` in the place of the partition, which grows to hold it.
  func putBack(_ path: String, into image: borrowing DiskFile) throws(PreloadError) -> Partition {
    let file = try DiskFile(path, .read)
    let size = try file.size()
    let grown = try table.grow(partition, to: size, in: image)
    try image.punch(grown.start..<grown.end)
    try image.copyData(from: file, range: 0..<size, to: grown.start)
    return grown
  }

  private func place(in image: String) -> String { "\(image), partition \(partition.number) (\(label))" }
}

extension PartitionTable {
  /// The partitions whose file systems have a label.
  func labels(in image: borrowing DiskFile) throws(PreloadError) -> [(partition: Partition, label: String)] {
    var found: [(partition: Partition, label: String)] = []
    for partition in partitions {
      if let label = try FileSystemLabel.read(from: image, at: partition.start, size: partition.size) { found.append((partition, label)) }
    }
    return found
  }
}
