import Glibc

/// What /proc says about the processes of this machine (proc_pid_stat(5)).
enum ProcessTable {
  struct Entry {
    var id: pid_t
    var parent: pid_t
    var group: pid_t
    var session: pid_t
    var isZombie: Bool
  }

  /// All processes of the moment; some may be gone when this returns.
  static func read() -> [Entry] {
    guard let handle = opendir("/proc") else { return [] }
    defer { closedir(handle) }
    var entries: [Entry] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let id = pid_t(name), let bytes = BoundedFile.contents("/proc/\(id)/stat", limit: 4096) else { continue }
      if let entry = parse(bytes, id: id) { entries.append(entry) }
    }
    return entries
  }

  /// The command name stands in parentheses and may itself hold blanks and parentheses.
  private static func parse(_ stat: [UInt8], id: pid_t) -> Entry? {
    guard let close = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = stat[(close + 1)...].split(separator: UInt8(ascii: " ")).prefix(4)
    let numbers = fields.dropFirst().compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
    guard numbers.count == 3, let state = fields.first?.first else { return nil }
    return Entry(
      id: id, parent: numbers[0], group: numbers[1], session: numbers[2], isZombie: state == UInt8(ascii: "Z") || state == UInt8(ascii: "X"))
  }

  /// Where a link of /proc leads; nil when that cannot be seen.
  static func link(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink(path, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
  }
}
