import CExt2FS
import FoundationEssentials
import Glibc

/// Runs e2fsck and resize2fs. What they change is a file that holds nothing but a file system, never a whole disk image: resize2fs would cut it off.
enum FileSystemTool {
  private static let limit: Int32 = 30 * 60
  private static let keptOutput = 4096

  /// Repairs what can be repaired without questions, and replays the journal.
  static func repair(_ path: String, time: Int64) throws(PreloadError) {
    try run("e2fsck", ["-f", "-p", path], accepting: [0, 1], path: path, time: time)
  }

  /// Demands that the file system that begins `offset` bytes into the file is without fault; changes nothing.
  static func verify(_ path: String, offset: Int64, time: Int64) throws(PreloadError) {
    try run("e2fsck", ["-f", "-n", "\(path)?offset=\(offset)"], accepting: [0], path: path, time: time)
  }

  /// Makes the file system fill the file.
  static func resize(_ path: String, time: Int64) throws(PreloadError) {
    try run("resize2fs", [path], accepting: [0], path: path, time: time)
  }

  private static func run(_ name: String, _ arguments: [String], accepting: Set<Int32>, path: String, time: Int64) throws(PreloadError) {
    func failed(_ status: String, _ output: String = "") -> PreloadError {
      .tool(name: name, path: path, status: status, output: output)
    }
    let search = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    let directories = search.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
    guard let program = directories.map({ $0 + "/" + name }).first(where: { access($0, X_OK) == 0 }) else {
      throw failed("cannot run: not found in PATH, /usr/sbin or /sbin; install the package e2fsprogs")
    }
    var ends: [Int32] = [-1, -1]
    guard pipe2(&ends, O_CLOEXEC) == 0 else { throw .system(operation: "make a pipe for", path: name, errno: errno) }
    let reading = ends[0]
    let writing = ends[1]
    defer { close(reading) }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, writing, 1)
    posix_spawn_file_actions_adddup2(&actions, writing, 2)
    var argv = cStrings([program] + arguments)
    // The times these tools stamp would make two equal runs differ.
    var environment = cStrings(
      ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TZ=UTC", "E2FSPROGS_FAKE_TIME=\(time)", "SOURCE_DATE_EPOCH=\(time)"])
    defer { for pointer in argv + environment { free(pointer) } }
    var child = pid_t()
    let code = posix_spawn(&child, program, &actions, nil, &argv, &environment)
    close(writing)
    guard code == 0 else { throw .system(operation: "start", path: program, errno: code) }

    let output = collect(from: reading, child: child)
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    guard status & 0x7F == 0 else { throw failed("was ended by signal \(status & 0x7F)", output) }
    let exit = (status >> 8) & 0xFF
    guard accepting.contains(exit) else { throw failed("exited with \(exit)", output) }
  }

  /// Copies ended by nil, as exec wants them; the caller frees them.
  private static func cStrings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
    var pointers: [UnsafeMutablePointer<CChar>?] = []
    for text in texts { pointers.append(strdup(text)) }
    return pointers + [nil]
  }

  /// The end of what the child prints until it closes its output; a child that takes too long is killed.
  private static func collect(from descriptor: Int32, child: pid_t) -> String {
    var kept: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    var start = timespec()
    clock_gettime(CLOCK_MONOTONIC, &start)
    var killed = false
    while true {
      var now = timespec()
      clock_gettime(CLOCK_MONOTONIC, &now)
      let left = Int(limit) - (now.tv_sec - start.tv_sec)
      if left <= 0, !killed {
        kill(child, SIGKILL)
        killed = true
      }
      var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&poller, 1, Int32(max(left, 1)) * 1000)
      if ready <= 0 { continue }
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      kept += buffer[..<count]
      if kept.count > 2 * keptOutput { kept.removeFirst(kept.count - keptOutput) }
    }
    let lines = String(decoding: kept.suffix(keptOutput), as: UTF8.self).split(separator: "\n")
    return lines.joined(separator: "; ")
  }
}
