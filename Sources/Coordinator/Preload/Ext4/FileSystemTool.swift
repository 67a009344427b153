import FoundationEssentials
import Glibc
import Processes

/// Runs e2fsck and resize2fs. What they change is a file that holds nothing but a file system, never a whole disk image: resize2fs would cut it off.
enum FileSystemTool {
  private static let limitSeconds = 30 * 60.0
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

  /// Ends the tool after `limitSeconds`; its error holds the end of what it printed.
  static func run(
    _ name: String, _ arguments: [String], accepting: Set<Int32>, path: String, time: Int64, limitSeconds: Double = limitSeconds
  ) throws(PreloadError) {
    var output = OutputTail(limit: keptOutput)
    func failed(_ status: String) -> PreloadError {
      .tool(name: name, path: path, status: status, output: output.text.split(separator: "\n").joined(separator: "; "))
    }
    let search = (getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin") + ":/usr/sbin:/sbin"
    guard let program = Command.find(name, in: search) else {
      throw failed("cannot run: not found in PATH, /usr/sbin or /sbin; install the package e2fsprogs")
    }
    // The times these tools stamp would make two equal runs differ.
    let environment = [
      "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC", "E2FSPROGS_FAKE_TIME": "\(time)", "SOURCE_DATE_EPOCH": "\(time)",
    ]
    let end: ChildEnd
    do {
      end = try ChildProcess.run(
        Command(program, arguments, environment: environment), limits: .total(limitSeconds), group: .callers
      ) { output.append($0) }
    } catch {
      throw failed("cannot run: \(error)")
    }
    switch end {
    case .exited(let status) where accepting.contains(status): return
    case .exited(let status): throw failed("exited with \(status)")
    case .signalled(let signal): throw failed("was ended by signal \(ChildEnd.signalName(signal))")
    case .silent, .overdue, .cancelled: throw failed("took more than \(Int(limitSeconds)) s")
    }
  }
}
