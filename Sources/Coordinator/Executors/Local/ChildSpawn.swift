import FoundationEssentials
import Glibc

/// posix_spawn with what this program needs of it.
enum ChildSpawn {
  /// Starts a program in a process group of its own, with default signal handling; `descriptors` become its 0, 1, 2. Throws what exec said.
  static func start(_ arguments: [String], environment: [String: String], descriptors: [Int32]) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (number, descriptor) in descriptors.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var all = sigset_t()
    var none = sigset_t()
    sigfillset(&all)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    var pid: pid_t = -1
    let code = withCStrings(arguments) { argv in
      withCStrings(environment.map { "\($0.key)=\($0.value)" }) { envp in
        guard let program = argv[0] else { return EINVAL }
        return posix_spawnp(&pid, program, &actions, &attributes, argv, envp)
      }
    }
    guard code == 0 else { throw ExecutorError.local(operation: "start", path: arguments.first ?? "", errno: code) }
    return pid
  }

  private static func withCStrings<Value>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
  ) -> Value {
    let copies = strings.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return copies.withUnsafeBufferPointer { buffer in
      withUnsafePointer(to: UnsafeMutablePointer<CChar>?.none) { empty in body(buffer.baseAddress ?? empty) }
    }
  }

  /// Without `SIG`, as SSH tells it too.
  static func signalName(_ number: Int32) -> String {
    switch number {
    case SIGKILL: "KILL"
    case SIGTERM: "TERM"
    case SIGINT: "INT"
    case SIGHUP: "HUP"
    case SIGSEGV: "SEGV"
    case SIGABRT: "ABRT"
    case SIGPIPE: "PIPE"
    case SIGILL: "ILL"
    default: String(number)
    }
  }
}
