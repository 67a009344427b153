import CExt2FS
import Glibc

/// An ext4 file system opened through libext2fs, without mounting it. One thread at a time.
final class Ext4FileSystem {
  typealias Inode = ext2_ino_t
  static let root = Inode(EXT2_ROOT_INO)

  /// Names libext2fs's errors; done once a process.
  private static let errorTable: Void = initialize_ext2_error_table()

  let handle: ext2_filsys
  private let path: String
  private var closed = false

  /// Opens the file system that begins `offset` bytes into the file at `path`.
  init(_ path: String, writable: Bool, offset: Int64 = 0) throws(PreloadError) {
    Self.errorTable
    self.path = path
    var opened: ext2_filsys?
    let flags = EXT2_FLAG_64BITS | (writable ? EXT2_FLAG_RW : 0)
    let code = ext2fs_open2(path, "offset=\(offset)", flags, 0, 0, ext2fs_unix_io(), &opened)
    guard code == 0, let opened else { throw .fileSystem(path: path, reason: "cannot be opened: \(Self.text(code))") }
    handle = opened
    if writable {
      let code = ext2fs_read_bitmaps(handle)
      guard code == 0 else {
        var left: ext2_filsys? = opened
        ext2fs_close_free(&left)
        closed = true
        throw .fileSystem(path: path, reason: "its bitmaps cannot be read: \(Self.text(code))")
      }
    }
  }

  deinit {
    guard !closed else { return }
    // Whoever did not close it gave up: what is only in memory is not written.
    handle.pointee.flags &= ~EXT2_FLAG_DIRTY
    ext2fs_free(handle)
  }

  /// Writes everything that is still in memory to the file; nothing can be done with the file system afterwards.
  func close() throws(PreloadError) {
    closed = true
    // Not to the disk itself: what is scratch now is synced where it ends up.
    let code = ext2fs_close2(handle, EXT2_FLAG_FLUSH_NO_SYNC)
    guard code == 0 else { throw .fileSystem(path: path, reason: "cannot be closed: \(Self.text(code))") }
  }

  static func text(_ code: errcode_t) -> String { String(cString: error_message(code)) }

  /// Throws when `code` is not 0; `path` is the entry that was being written or read.
  func check(_ code: errcode_t, _ path: @autoclosure () -> String) throws(PreloadError) {
    guard code != 0 else { return }
    throw .write(path: path(), reason: Self.text(code))
  }

  var blockSize: Int { Int(handle.pointee.blocksize) }

  /// The inode at `path` (components separated by `/`, symbolic links not followed); nil when there is none.
  func lookup(_ path: String) throws(PreloadError) -> Inode? {
    var inode = Self.root
    for component in path.split(separator: "/") {
      var next = Inode()
      let code = ext2fs_lookup(handle, inode, String(component), Int32(component.utf8.count), nil, &next)
      if code == EXT2_ET_FILE_NOT_FOUND || code == EXT2_ET_NO_DIRECTORY { return nil }
      try check(code, path)
      inode = next
    }
    return inode
  }

  func read(_ inode: Inode, _ path: @autoclosure () -> String) throws(PreloadError) -> ext2_inode_large {
    var record = ext2_inode_large()
    let code = withUnsafeMutablePointer(to: &record) {
      $0.withMemoryRebound(to: ext2_inode.self, capacity: 1) {
        ext2fs_read_inode_full(handle, inode, $0, Int32(MemoryLayout<ext2_inode_large>.size))
      }
    }
    try check(code, path())
    return record
  }

  func isDirectory(_ inode: Inode) throws(PreloadError) -> Bool {
    try read(inode, "an inode").i_mode & 0o170000 == 0o040000
  }

  /// The content of the regular file at `path`, or nil when there is none; longer than `limit` is an error.
  func contents(_ path: String, limit: Int) throws(PreloadError) -> [UInt8]? {
    guard let inode = try lookup(path) else { return nil }
    guard let size = try sizeOfFile(inode, path), (0...Int64(limit)).contains(size) else {
      throw .damagedStore(path: path, reason: "is not a file of at most \(limit) bytes")
    }
    let bytes = try read(Int(size), of: inode, path)
    guard bytes.count == Int(size) else { throw .damagedStore(path: path, reason: "is shorter than its inode says") }
    return bytes
  }

  /// At most `count` bytes of the beginning of the regular file at `path`; nil when there is none.
  func head(of path: String, _ count: Int) throws(PreloadError) -> [UInt8]? {
    guard let inode = try lookup(path), try sizeOfFile(inode, path) != nil else { return nil }
    return try read(count, of: inode, path)
  }

  /// nil for what is no regular file. A damaged inode may say any number.
  private func sizeOfFile(_ inode: Inode, _ path: String) throws(PreloadError) -> Int64? {
    let record = try read(inode, path)
    guard record.i_mode & 0o170000 == 0o100000 else { return nil }
    return Int64(record.i_size) | Int64(record.i_size_high) << 32
  }

  private func read(_ count: Int, of inode: Inode, _ path: String) throws(PreloadError) -> [UInt8] {
    var file: ext2_file_t?
    try check(ext2fs_file_open(handle, inode, 0, &file), path)
    defer { ext2fs_file_close(file) }
    var bytes = [UInt8](repeating: 0, count: count)
    var got: UInt32 = 0
    try check(bytes.withUnsafeMutableBytes { ext2fs_file_read(file, $0.baseAddress, UInt32(count), &got) }, path)
    bytes.removeLast(count - min(count, Int(got)))
    return bytes
  }

  /// The names in the directory at `path` without `.` and `..`; empty when there is none.
  func names(in path: String) throws(PreloadError) -> [String] {
    guard let inode = try lookup(path), try isDirectory(inode) else { return [] }
    final class Names { var all: [String] = [] }
    let names = Names()
    let code = ext2fs_dir_iterate2(
      handle, inode, 0, nil,
      { _, _, entry, _, _, _, context in
        guard let entry, let context else { return 0 }
        let length = Int(entry.pointee.name_len & 0xFF)
        let name = String(decoding: UnsafeRawBufferPointer(start: UnsafeRawPointer(entry) + 8, count: length), as: UTF8.self)
        if name != ".", name != ".." { Unmanaged<Names>.fromOpaque(context).takeUnretainedValue().all.append(name) }
        return 0
      }, Unmanaged.passUnretained(names).toOpaque())
    try check(code, path)
    return names.all.sorted()
  }
}

extension Ext4FileSystem {
  /// Lets the superblock's and the resize inode's times be `time`, which the tools set to the present.
  func setTime(_ time: Int64) {
    handle.pointee.now = time_t(time)
    handle.pointee.super.pointee.s_lastcheck = UInt32(truncatingIfNeeded: time)
    handle.pointee.super.pointee.s_lastcheck_hi = UInt8(truncatingIfNeeded: time >> 32)
    ext2fs_mark_super_dirty(handle)
  }
}
