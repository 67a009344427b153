import BuildModel
import CZlib
import Glibc
import OCIImage

extension SplitImage {
  /// Proves that the split image of `kind` in `directory` is the disk image at `image`: the manifest has its partitions and gaps, every part is
  /// what the manifest says of it, and all parts together, ended by an empty final block, inflate to the bytes of the disk image.
  ///
  /// Throws ``PreloadError/splitImage(path:reason:)`` with the first difference. Blocks the calling thread.
  package static func verify(image: String, kind: Kind, in directory: String) throws(PreloadError) {
    let file = try open(image)
    let path = "\(directory)/\(kind.manifest)"
    let parts = try SplitImageManifest(readingFrom: path).image.parts
    let plan = SplitImagePart.all(of: try PartitionTable(readingFrom: file), size: try file.size())
    guard parts.count == plan.count else {
      throw .splitImage(path: path, reason: "lists \(Counted(parts.count, "part")), the disk image has \(plan.count)")
    }
    var check = try SplitImageCheck()
    for (index, (part, planned)) in zip(parts, plan).enumerated() {
      guard part.filename == SplitImageManifest.fileName(index), part.len == planned.size,
        part.partitionIndex == SplitImageManifest.partitionIndex(planned.partition)
      else { throw .splitImage(path: path, reason: "part \(index) is not bytes \(planned.range) of the disk image") }
      try check.inflate(part, at: "\(directory)/\(kind.folder)/\(part.filename)", expecting: planned.range, of: file)
    }
    try check.end(path)
  }
}

/// Inflates the parts of a split image as one stream, beside the disk image they were made from.
private struct SplitImageCheck: ~Copyable {
  private let inflater = Inflater(.none)
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: DeflatedChunk.capacity, alignment: 4096)

  init() throws(PreloadError) {
    guard inflater.begin() else { throw .system(operation: "allocate", path: "a decompressor", errno: ENOMEM) }
  }

  deinit { buffer.deallocate() }

  mutating func inflate(
    _ part: SplitImageManifest.Part, at path: String, expecting range: Range<Int64>, of image: borrowing DiskFile
  ) throws(PreloadError) {
    let file = try DiskFile(path, .read)
    let size = try file.size()
    let tail = DeflatedChunk.emptyBlock
    guard size == part.zLen else { throw .splitImage(path: path, reason: "has \(Counted(size, "byte")), the manifest says \(part.zLen)") }
    guard size >= tail.count, try file.read(tail.count, at: size - Int64(tail.count)) == tail else {
      throw .splitImage(path: path, reason: "does not end in an empty block, so no part can follow it")
    }
    var crc: UInt = 0
    var position = range.lowerBound
    var read: Int64 = 0
    while read < size {
      let piece = try file.read(Int(min(1 << 18, size - read)), at: read)
      read += Int64(piece.count)
      var used = 0
      while used < piece.count {
        let (taken, made, ended) = try step(piece[used...], path)
        guard !ended else { throw .splitImage(path: path, reason: "has a final block, so no part can follow it") }
        used += taken
        guard made > 0 else { continue }
        guard Int64(made) <= range.upperBound - position else {
          throw .splitImage(path: path, reason: "holds more than the \(Counted(range.count, "byte")) of its partition or gap")
        }
        let expected = try image.read(made, at: position)
        guard let base = buffer.baseAddress, memcmp(expected, base, made) == 0 else {
          throw .splitImage(path: path, reason: "differs from the disk image between bytes \(position) and \(position + Int64(made))")
        }
        crc = CZlib.crc32(crc, base.assumingMemoryBound(to: UInt8.self), UInt32(made))
        position += Int64(made)
      }
    }
    guard position == range.upperBound else {
      throw .splitImage(path: path, reason: "holds \(position - range.lowerBound) of the \(Counted(range.count, "byte")) of its partition or gap")
    }
    guard UInt32(truncatingIfNeeded: crc) == part.crc else { throw .splitImage(path: path, reason: "has another CRC-32 than the manifest says") }
  }

  /// `path` is for the message.
  mutating func end(_ path: String) throws(PreloadError) {
    let (_, made, ended) = try step(SplitImage.finalBlock[...], path)
    guard ended, made == 0 else { throw .splitImage(path: path, reason: "lists parts that are no whole stream together") }
  }

  private func step(_ input: ArraySlice<UInt8>, _ path: String) throws(PreloadError) -> (used: Int, made: Int, ended: Bool) {
    switch input.withUnsafeBytes({ inflater.step($0, into: buffer) }) {
    case .progress(let used, let made, let ended): return (used, made, ended)
    case .failed(let reason): throw .splitImage(path: path, reason: "cannot be inflated: \(reason)")
    }
  }
}
