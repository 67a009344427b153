import Foundation

/// A child process in a process group of its own, with a time limit and bounded output, whose lines can be waited for.
final class Child: @unchecked Sendable {
  struct Ended: Sendable {
    /// The exit status, or 128 and the number of the signal.
    var status: Int32
    var output: String
    var errors: String
  }

  struct Unusable: Error, CustomStringConvertible {
    var description: String
  }

  let pid: pid_t
  private let name: String
  /// Guards all state below; signalled whenever some of it changed.
  private let changed = NSCondition()
  private var streams = [Data(), Data()]
  private var open = 2
  private var status: Int32?
  /// More than this of one stream is not kept.
  private static let bound = 4 << 20
  private static let spawning = NSLock()

  /// Starts it; after `limit` seconds its whole group is killed.
  init(_ arguments: [String], environment: [String: String], directory: String, limit: Double = 60) throws {
    name = arguments.joined(separator: " ")
    // Between a pipe's making and its marking no other child may be born with it.
    Self.spawning.lock()
    defer { Self.spawning.unlock() }
    var pipes: [[Int32]] = []
    for _ in 0..<2 {
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else { throw Unusable(description: "no pipe") }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      pipes.append(ends)
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, pipes[0][1], 1)
    posix_spawn_file_actions_adddup2(&actions, pipes[1][1], 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // The tests' own signal dispositions are not the child's.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for number in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    let words = (["env", "-C", directory] + arguments).map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for pointer in words + variables { free(pointer) } }
    var child: pid_t = 0
    let code = posix_spawnp(&child, "env", &actions, &attributes, words, variables)
    for ends in pipes { close(ends[1]) }
    guard code == 0 else {
      for ends in pipes { close(ends[0]) }
      throw Unusable(description: "\(name): \(String(cString: strerror(code)))")
    }
    pid = child
    for (index, ends) in pipes.enumerated() { Thread.detachNewThread { [self] in read(ends[0], into: index) } }
    Thread.detachNewThread { [self] in
      var status: Int32 = 0
      while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
      change { $0.status = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f }
    }
    Thread.detachNewThread { [self] in
      if !wait(until: Date(timeIntervalSinceNow: limit), { $0.status != nil }) {
        append(Data("\n*** killed after \(limit) s\n".utf8), to: 1)
        kill(-pid, SIGKILL)
      }
    }
  }

  private func read(_ descriptor: Int32, into index: Int) {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while case let count = Glibc.read(descriptor, &buffer, buffer.count), count > 0 { append(Data(buffer[..<count]), to: index) }
    close(descriptor)
    change { $0.open -= 1 }
  }

  private func append(_ bytes: Data, to index: Int) {
    change { if $0.streams[index].count + bytes.count <= Self.bound { $0.streams[index] += bytes } }
  }

  private func change(_ body: (Child) -> Void) {
    changed.lock()
    body(self)
    changed.broadcast()
    changed.unlock()
  }

  /// False when the time is over first.
  private func wait(until limit: Date, _ condition: (Child) -> Bool) -> Bool {
    changed.lock()
    defer { changed.unlock() }
    while !condition(self) { if !changed.wait(until: limit) { return condition(self) } }
    return true
  }

  /// Waits for the end. The streams get a moment more: a descendant may hold them open.
  func wait() -> Ended {
    _ = wait(until: Date(timeIntervalSinceNow: 3600)) { $0.status != nil }
    _ = wait(until: Date(timeIntervalSinceNow: 5)) { $0.open == 0 }
    changed.lock()
    defer { changed.unlock() }
    return Ended(status: status ?? -1, output: String(decoding: streams[0], as: UTF8.self), errors: String(decoding: streams[1], as: UTF8.self))
  }

  /// Waits until the process says `text` on standard error; throws when it ends without.
  func waitFor(_ text: String) throws {
    let wanted = Data(text.utf8)
    _ = wait(until: Date(timeIntervalSinceNow: 3600)) { $0.streams[1].range(of: wanted) != nil || ($0.status != nil && $0.open == 0) }
    changed.lock()
    defer { changed.unlock() }
    guard streams[1].range(of: wanted) != nil else {
      throw Unusable(description: "\(name) never said '\(text)': \(String(decoding: streams[1], as: UTF8.self))")
    }
  }

  /// The rest of the first line on standard error that begins with `start`; nil when there is none yet.
  func errorLine(after start: String) -> String? {
    changed.lock()
    defer { changed.unlock() }
    let lines = String(decoding: streams[1], as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    return lines.first { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
  }

  func signal(_ number: Int32) { kill(pid, number) }
  /// Ends the whole group at once.
  func killGroup() { kill(-pid, SIGKILL) }
}
