import CLinux
import FoundationEssentials
import Glibc

/// How a child of the tests begins: in a process group of its own, without the tests' signal settings, and with no descriptor but its first three.
///
/// The kernel kills it when the thread that started it ends (`setpriv --pdeathsig`), so that a killed test program leaves no child behind.
/// A set-group-ID program, and one that changes its user, lose that mark.
struct ChildSpawn: Sendable {
  var words: [String]
  var environment: [String: String]
  /// nil is the tests' own directory.
  var directory: String?
  /// What become descriptors 0, 1 and 2.
  var descriptors: [Int32]

  func start() throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (number, descriptor) in descriptors.enumerated() { posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number)) }
    for number in Self.openDescriptors where number >= descriptors.count { posix_spawn_file_actions_addclose(&actions, number) }
    if let directory { posix_spawn_file_actions_addchdir_np(&actions, directory) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var (all, none) = (sigset_t(), sigset_t())
    sigfillset(&all)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    let arguments = (["setpriv", "--pdeathsig", "KILL", "--"] + words).map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for pointer in arguments + variables { free(pointer) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, "setpriv", &actions, &attributes, arguments, variables)
    guard code == 0 else { throw PeerError("\(words.joined(separator: " ")): \(String(cString: strerror(code)))") }
    return pid
  }

  /// Also those that the test program was started with. One that is closed meanwhile is no error.
  private static var openDescriptors: [Int32] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).compactMap { Int32($0) }
  }
}
