import CLinux
import Glibc

/// How a child ended.
package enum ChildEnd: Hashable, Sendable {
  case exited(Int32)
  case signalled(Int32)
  /// It wrote nothing for the silent limit, was still running at its deadline, or the runner was told to cancel.
  /// It is still there: the caller ends the whole process tree.
  case silent, overdue, cancelled
}

/// Runs one child at a time: spawned in its own session, standard input empty or a file, output and errors in one stream.
package enum ChildProcess {
  /// Returns when the child has ended (or a bound was reached) and what it wrote has been given to `output`, in pieces of at most 64 KiB.
  ///
  /// A daemon that the child left behind may hold the stream open; what it writes later is not waited for.
  /// With an `interruption` the caller is taken for the reaper of all orphans: they are collected on the way.
  /// `input` is a file that the child reads from where its offset stands.
  package static func run(
    _ command: Command, limits: ChildLimits, interruption: Interruption? = nil, input: Int32? = nil, output: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> ChildEnd {
    var ends: [Int32] = [-1, -1]
    guard pipe2(&ends, O_CLOEXEC) == 0 else { throw ProcessError.system(operation: "pipe for", subject: command.program, errno: errno) }
    let source = ends[0]
    defer { close(source) }
    let pid: pid_t
    do {
      defer { close(ends[1]) }
      pid = try spawn(command, input: input, output: ends[1], newSession: true)
    }
    _ = fcntl(source, F_SETFL, O_NONBLOCK)
    return try follow(pid, source: source, limits: limits, interruption: interruption, output: output)
  }

  /// Runs a program and keeps what it writes; for short answers. An end by a bound is killed and reaped here.
  package static func capture(
    _ command: Command, seconds: Double, limit: Int = 1 << 20, input: Int32? = nil
  ) throws -> (end: ChildEnd, output: String) {
    var bytes: [UInt8] = []
    var isTooMuch = false
    let end = try run(command, limits: .total(seconds), input: input) { piece in
      if bytes.count + piece.count > limit { isTooMuch = true } else { bytes.append(contentsOf: piece) }
    }
    if isTooMuch { throw ProcessError.tooMuchOutput(program: command.program, limit: limit) }
    return (end, String(decoding: bytes, as: UTF8.self))
  }

  /// Starts a program and returns its process id. `input` and `output` replace the standard streams; nil stands for /dev/null.
  /// `extra` descriptors become 3, 4, … in the child; every other descriptor of the caller must be close-on-exec.
  package static func spawn(
    _ command: Command, input: Int32?, output: Int32?, extra: [Int32] = [], newSession: Bool
  ) throws(ProcessError) -> pid_t {
    let path = try command.resolved()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addchdir_np(&actions, command.directory)
    if let input {
      posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    if let output {
      posix_spawn_file_actions_adddup2(&actions, output, 1)
    } else {
      posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    }
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    for (index, descriptor) in extra.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(3 + index))
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigdefault(&attributes, &all)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (newSession ? Int32(blockfarm_spawn_setsid) : 0)
    posix_spawnattr_setflags(&attributes, Int16(flags))

    let arguments = ([command.program] + command.arguments).map { strdup($0) } + [nil]
    let environment = command.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + environment { free(text) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, path, &actions, &attributes, arguments, environment)
    guard code == 0 else { throw .system(operation: "run", subject: "\(path) in \(command.directory)", errno: code) }
    return pid
  }

  private static func follow(
    _ pid: pid_t, source: Int32, limits: ChildLimits, interruption: Interruption?, output: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> ChildEnd {
    let watch = blockfarm_pidfd_open(pid)
    defer { if watch >= 0 { close(watch) } }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
    defer { buffer.deallocate() }
    var lastOutput = MonotonicClock.now
    var isOpen = true
    func drain() throws {
      while isOpen {
        let count = read(source, buffer.baseAddress, buffer.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 { return }
        if count == 0 {
          isOpen = false
        } else {
          lastOutput = MonotonicClock.now
          try output(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
      }
    }
    do {
      while true {
        try drain()
        if let end = reap(pid, strays: interruption != nil) {
          try drain()
          return end
        }
        if interruption?.isRequested == true { return .cancelled }
        let now = MonotonicClock.now
        let limit = min(limits.deadline, lastOutput + limits.silentSeconds)
        if now >= limit {
          if interruption == nil { kill(pid) }
          return now >= limits.deadline ? .overdue : .silent
        }
        // Without a pidfd the child's end is looked for; orphans are collected at least once a second.
        let wait = min(limit - now, watch >= 0 ? 1 : 0.05)
        var polled = [
          pollfd(fd: isOpen ? source : -1, events: Int16(POLLIN), revents: 0),
          pollfd(fd: watch, events: Int16(POLLIN), revents: 0),
          pollfd(fd: interruption?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        poll(&polled, 3, Int32((wait * 1000).rounded(.up)))
      }
    } catch {
      // The consumer of the output failed (a full disk): nobody would read the child's stream any more.
      kill(pid)
      throw error
    }
  }

  /// Ends a child of ours for good, with the session it leads.
  private static func kill(_ pid: pid_t) {
    Glibc.kill(-pid, SIGKILL)
    Glibc.kill(pid, SIGKILL)
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
  }

  private static func reap(_ pid: pid_t, strays: Bool) -> ChildEnd? {
    var status: Int32 = 0
    while true {
      let found = waitpid(strays ? -1 : pid, &status, WNOHANG)
      if found == pid { return status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f) }
      if found < 0, errno == EINTR { continue }
      if found <= 0 { return nil }
    }
  }
}
