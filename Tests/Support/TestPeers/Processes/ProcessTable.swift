import CLinux
import Foundation

/// The processes of this machine, as `/proc` shows them.
package enum ProcessTable {
  private static var pids: [pid_t] { ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) } }

  /// Those that a process started, those that these started, and so on, as long as their parents live.
  package static func descendants(of pid: pid_t) -> [pid_t] {
    var children: [pid_t: [pid_t]] = [:]
    for pid in pids { if let parent = parent(of: pid) { children[parent, default: []].append(pid) } }
    var found: [pid_t] = []
    var level = [pid]
    while !level.isEmpty {
      level = level.flatMap { children[$0] ?? [] }
      found += level
    }
    return found
  }

  /// Whether it is there and has not ended: what has ended stays in the table until its parent asks for its status.
  package static func isRunning(_ pid: pid_t) -> Bool { fields(of: pid)?.first.map { $0 != "Z" && $0 != "X" } ?? false }

  private static func parent(of pid: pid_t) -> pid_t? { fields(of: pid).flatMap { $0.count > 1 ? pid_t($0[1]) : nil } }

  /// State, parent and what follows in `/proc/PID/stat`; the name before them, in parentheses, may hold anything.
  private static func fields(of pid: pid_t) -> [Substring]? {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let end = stat.lastIndex(of: ")") else { return nil }
    return stat[stat.index(after: end)...].split(separator: " ")
  }

  /// Those that work below a directory or have a path of it among their arguments.
  package static func processes(below directory: String) -> [pid_t] {
    pids.filter { pid in
      let place = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")) ?? ""
      let words = (FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()).split(separator: 0)
      return ([place] + words.map { String(decoding: $0, as: UTF8.self) }).contains { ($0 + "/").contains(directory + "/") }
    }
  }

  /// Those that have a variable, as `NAME=value`, in their environment.
  package static func processes(with variable: String) -> [pid_t] {
    pids.filter { pid in
      let environment = (FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()).split(separator: 0)
      return environment.contains { $0.elementsEqual(variable.utf8) }
    }
  }

  /// Waits until a process has ended, whoever its parent is; false when the time is over first.
  package static func waitForEnd(of pid: pid_t, seconds: Double) -> Bool {
    let descriptor = blockfarm_pidfd_open(pid)
    guard descriptor >= 0 else { return errno == ESRCH }
    defer { close(descriptor) }
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&polled, 1, Int32(seconds * 1000)) > 0
  }
}
