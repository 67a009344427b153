import BuildModel
import FoundationEssentials
import Glibc
import Synchronization

/// Runs git, bounded in time and output, with an environment that nothing can steer. Synchronous.
package enum GitCommand {
  /// Runs `git -C <directory> <arguments>` and returns its standard output; throws with git's own last line when it fails.
  ///
  /// `passing` names variables of this process's environment that git may see (a clone over SSH needs `SSH_AUTH_SOCK`); by default none.
  package static func run(
    _ arguments: [String], in directory: String, repository: String, limitSeconds: Double = 120, outputLimit: Int = 64 << 20,
    passing: [String] = []
  ) throws(PlanningError) -> [UInt8] {
    func failed(_ reason: String) -> PlanningError {
      .repository(name: repository, reason: "git \(arguments.first { !$0.hasPrefix("-") && !$0.contains("=") } ?? ""): \(reason)", hint: "")
    }
    let words = ["git", "-C", directory, "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.quotepath=false"] + arguments
    let passed = passing.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } }
    let fixed = [
      "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
      "GIT_OPTIONAL_LOCKS=0",
    ]
    // Of two entries with one name the first would count.
    let environment = passed + fixed.filter { entry in !passing.contains { entry.hasPrefix($0 + "=") } }
    // Between making a pipe and marking it, another thread's git could inherit it and keep it open: so one starts at a time.
    let started: Result<Started, StartFailure> = starting.withLock { _ in start(words, environment) }
    let (pid, output, complaints): (pid_t, Int32, Int32)
    switch started {
    case .success(let child): (pid, output, complaints) = (child.pid, child.output, child.complaints)
    case .failure(let failure): throw failed("cannot be started: \(String(cString: strerror(failure.code)))")
    }
    defer {
      close(output)
      close(complaints)
    }
    let deadline = Timestamp.now.adding(seconds: limitSeconds)
    var streams = [PipeReader(descriptor: output), PipeReader(descriptor: complaints)]
    var problem: String?
    while problem == nil, streams.contains(where: { !$0.isAtEnd }) {
      var polled = streams.map { pollfd(fd: $0.isAtEnd ? -1 : $0.descriptor, events: Int16(POLLIN), revents: 0) }
      let left = deadline.seconds(since: .now)
      let ready = poll(&polled, nfds_t(polled.count), Int32(max(0, min(left, 3600) * 1000)))
      if ready < 0, errno == EINTR { continue }
      if ready <= 0 {
        problem = "no end after \(Int(limitSeconds)) s"
        break
      }
      for index in streams.indices where polled[index].revents != 0 { streams[index].read() }
      if streams[0].bytes.count > outputLimit { problem = "more than \(outputLimit >> 20) MiB of output" }
      // Warnings are of no use here; only the last of them, which may be the error, is kept.
      if streams[1].bytes.count > 64 << 10 { streams[1].bytes.removeFirst(32 << 10) }
    }
    if problem != nil { kill(pid, SIGKILL) }
    var code: Int32 = 0
    while waitpid(pid, &code, 0) < 0, errno == EINTR {}
    if let problem { throw failed(problem) }
    guard code == 0 else {
      let lines = String(decoding: streams[1].bytes.suffix(2000), as: UTF8.self).split(separator: "\n")
      // Hints may follow the line that says what is wrong.
      let line = lines.last { $0.hasPrefix("fatal:") || $0.hasPrefix("error:") } ?? lines.last
      throw failed(line.map(String.init) ?? "status \(code >> 8)")
    }
    return streams[0].bytes
  }

  private static let starting = Mutex(())

  private struct Started: Sendable {
    var pid: pid_t
    /// The reading ends of its standard output and standard error.
    var output: Int32
    var complaints: Int32
  }
  private struct StartFailure: Error { var code: Int32 }

  private static func start(_ words: [String], _ environment: [String]) -> Result<Started, StartFailure> {
    var output: [Int32] = [0, 0]
    var complaints: [Int32] = [0, 0]
    guard pipe(&output) == 0 else { return .failure(StartFailure(code: errno)) }
    defer { close(output[1]) }
    guard pipe(&complaints) == 0 else {
      let code = errno
      close(output[0])
      return .failure(StartFailure(code: code))
    }
    defer { close(complaints[1]) }
    for end in output + complaints { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output[1], 1)
    posix_spawn_file_actions_adddup2(&actions, complaints[1], 2)
    var pid: pid_t = 0
    let status = withCStrings(words) { argv in
      withCStrings(environment) { envp in posix_spawnp(&pid, "git", &actions, nil, argv, envp) }
    }
    guard status == 0 else {
      close(output[0])
      close(complaints[0])
      return .failure(StartFailure(code: status))
    }
    return .success(Started(pid: pid, output: output[0], complaints: complaints[0]))
  }

  private struct PipeReader {
    let descriptor: Int32
    var bytes: [UInt8] = []
    var isAtEnd = false

    /// Takes what is there; call only when poll says that something is.
    mutating func read() {
      withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 16) { buffer in
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
        if count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN) { isAtEnd = true }
      }
    }
  }

  private static func withCStrings<Value>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
  ) -> Value {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
  }
}
