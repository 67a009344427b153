import CExt2FS
import Glibc

extension DiskFile {
  /// Makes this file a copy of `source`, sharing its blocks where the file system can (reflink), else keeping its holes.
  func become(copyOf source: borrowing DiskFile) throws(PreloadError) {
    let ficlone: UInt = 0x4004_9409
    if ioctl(descriptor, ficlone, source.descriptor) == 0 { return }
    let size = try source.size()
    try truncate(to: size)
    try copyData(from: source, range: 0..<size, to: 0)
  }

  /// Copies the parts of `range` of `source` that hold data to `offset` here; what are holes there is not touched.
  func copyData(from source: borrowing DiskFile, range: Range<Int64>, to offset: Int64) throws(PreloadError) {
    var position = range.lowerBound
    while position < range.upperBound {
      let start = lseek(source.descriptor, off_t(position), Int32(sparse_seek_data))
      if start < 0 && errno == ENXIO { return }
      guard start >= 0 else { throw source.failed("seek") }
      guard start < range.upperBound else { return }
      let hole = lseek(source.descriptor, start, Int32(sparse_seek_hole))
      guard hole > start else { throw source.failed("seek") }
      let end = min(Int64(hole), range.upperBound)
      try copy(from: source, at: Int64(start), count: end - Int64(start), to: offset + Int64(start) - range.lowerBound)
      position = end
    }
  }

  /// Makes `range` of this file read as zeros and gives its blocks back.
  func punch(_ range: Range<Int64>) throws(PreloadError) {
    guard !range.isEmpty else { return }
    let flags = Int32(sparse_punch_hole | sparse_keep_size)
    if fallocate64(descriptor, flags, off_t(range.lowerBound), off_t(range.count)) == 0 { return }
    guard errno == EOPNOTSUPP || errno == ENOSYS else { throw failed("punch a hole in") }
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    var position = range.lowerBound
    while position < range.upperBound {
      let count = Int(min(Int64(zeros.count), range.upperBound - position))
      try write(count == zeros.count ? zeros : Array(zeros[..<count]), at: position)
      position += Int64(count)
    }
  }

  private func copy(from source: borrowing DiskFile, at start: Int64, count: Int64, to offset: Int64) throws(PreloadError) {
    var input = off_t(start)
    var output = off_t(offset)
    var rest = count
    while rest > 0 {
      let done = copy_file_range(source.descriptor, &input, descriptor, &output, Int(min(rest, 1 << 30)), 0)
      if done > 0 {
        rest -= Int64(done)
        continue
      }
      if done < 0 && errno == EINTR { continue }
      guard done < 0, [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EBADF].contains(errno) else {
        if done == 0 { throw .unusableDiskImage(path: source.path, reason: "ended while it was copied") }
        throw failed("copy to")
      }
      while rest > 0 {
        let piece = try source.read(Int(min(rest, 1 << 20)), at: Int64(input))
        try write(piece, at: Int64(output))
        input += off_t(piece.count)
        output += off_t(piece.count)
        rest -= Int64(piece.count)
      }
    }
  }
}
