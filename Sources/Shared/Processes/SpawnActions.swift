import CLinux
import Glibc

/// What posix_spawn(3) does to descriptors and directory between fork and exec.
final class SpawnActions {
  var value = posix_spawn_file_actions_t()
  /// The first error number of its own setting up; 0 when all went well.
  private(set) var failure: Int32 = 0
  private var copies: [Int32] = []

  init(_ descriptors: ChildDescriptors, directory: String?) {
    posix_spawn_file_actions_init(&value)
    if let directory { note(posix_spawn_file_actions_addchdir_np(&value, directory)) }
    let targets = Int32(3 + descriptors.more.count)
    let given = [descriptors.input, descriptors.output, descriptors.errors ?? descriptors.output] + descriptors.more
    for (number, descriptor) in given.enumerated() {
      let target = Int32(number)
      if let descriptor {
        note(posix_spawn_file_actions_adddup2(&value, clear(descriptor, of: targets, for: target), target))
      } else {
        note(posix_spawn_file_actions_addopen(&value, target, "/dev/null", target == 0 ? O_RDONLY : O_WRONLY, 0))
      }
    }
    // Whatever else is open, by a library that does not mark its descriptors or by whoever started this program.
    note(posix_spawn_file_actions_addclosefrom_np(&value, targets))
  }

  deinit {
    posix_spawn_file_actions_destroy(&value)
    for copy in copies { close(copy) }
  }

  /// A descriptor that no earlier action replaces: one among the targets (a caller may run without standard streams) is copied above them.
  private func clear(_ descriptor: Int32, of targets: Int32, for target: Int32) -> Int32 {
    if descriptor >= targets || descriptor == target { return descriptor }
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, targets)
    if copy < 0 { note(errno) } else { copies.append(copy) }
    return copy
  }

  private func note(_ code: Int32) { if failure == 0 { failure = code } }
}

/// Signals, process group and session of a child.
final class SpawnAttributes {
  var value = posix_spawnattr_t()

  init(_ group: ChildGroup) {
    posix_spawnattr_init(&value)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&value, &none)
    var defaults = group.defaultSignals
    posix_spawnattr_setsigdefault(&value, &defaults)
    posix_spawnattr_setpgroup(&value, 0)
    let own: Int32 =
      switch group {
      case .callers: 0
      case .own: POSIX_SPAWN_SETPGROUP
      case .session: Int32(blockfarm_spawn_setsid)
      }
    posix_spawnattr_setflags(&value, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | own))
  }

  deinit { posix_spawnattr_destroy(&value) }
}
