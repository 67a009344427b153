import BuildModel
import FoundationEssentials
import Glibc

/// Runs git, bounded in time and output, with an environment that nothing can steer. Synchronous.
package enum GitCommand {
  /// Runs `git -C <directory> <arguments>` and returns its standard output; throws with git's own last line when it fails.
  package static func run(
    _ arguments: [String], in directory: String, repository: String, limitSeconds: Double = 120, outputLimit: Int = 64 << 20
  ) throws(PlanningError) -> [UInt8] {
    func failed(_ reason: String) -> PlanningError {
      .repository(name: repository, reason: "git \(arguments.first { !$0.hasPrefix("-") && !$0.contains("=") } ?? ""): \(reason)", hint: "")
    }
    var pipes: [Int32] = [0, 0]
    guard pipe(&pipes) == 0 else { throw failed(String(cString: strerror(errno))) }
    let (input, output) = (pipes[0], pipes[1])
    for end in pipes { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(input) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, output, 2)
    let words = ["git", "-C", directory, "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.quotepath=false"] + arguments
    let environment = [
      "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
      "GIT_OPTIONAL_LOCKS=0",
    ]
    var pid: pid_t = 0
    let status = withCStrings(words) { argv in
      withCStrings(environment) { envp in posix_spawnp(&pid, "git", &actions, nil, argv, envp) }
    }
    close(output)
    guard status == 0 else { throw failed("cannot be started: \(String(cString: strerror(status)))") }
    var bytes: [UInt8] = []
    var problem: String?
    let deadline = Timestamp.now.adding(seconds: limitSeconds)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
    defer { buffer.deallocate() }
    while problem == nil {
      let left = deadline.seconds(since: .now)
      var poller = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
      let ready = poll(&poller, 1, Int32(max(0, min(left, 3600) * 1000)))
      if ready < 0, errno == EINTR { continue }
      if ready <= 0 {
        problem = "no end after \(Int(limitSeconds)) s"
        break
      }
      let count = read(input, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      bytes.append(contentsOf: buffer[..<count])
      if bytes.count > outputLimit { problem = "more than \(outputLimit >> 20) MiB of output" }
    }
    if problem != nil { kill(pid, SIGKILL) }
    var code: Int32 = 0
    while waitpid(pid, &code, 0) < 0, errno == EINTR {}
    if let problem { throw failed(problem) }
    guard code == 0 else {
      let lines = String(decoding: bytes.suffix(2000), as: UTF8.self).split(separator: "\n")
      throw failed(lines.last.map(String.init) ?? "status \(code >> 8)")
    }
    return bytes
  }

  private static func withCStrings<Value>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
  ) -> Value {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
  }
}
