import CLinux
import Glibc

extension ChildProcess {
  /// Starts a program that gets these descriptors and no others, no blocked signals, and the signal handling that ``ChildGroup`` describes.
  ///
  /// The caller takes the child's end, with ``StartedChild/reap(strays:)`` or ``StartedChild/kill()``.
  package static func spawn(
    _ command: Command, descriptors: ChildDescriptors = ChildDescriptors(), group: ChildGroup
  ) throws(ProcessError) -> StartedChild {
    let path = try command.resolved()
    let arguments = [command.program] + command.arguments
    let environment = command.environment.map { "\($0.key)=\($0.value)" }
    // C would take such a text for ended there.
    guard !(arguments + environment + [path, command.directory ?? ""]).contains(where: { $0.utf8.contains(0) }) else {
      throw .system(operation: "pass a zero byte to", subject: command.program, errno: EINVAL)
    }
    blockfarm_keep_child_ends()
    let actions = SpawnActions(descriptors, directory: command.directory)
    let attributes = SpawnAttributes(group)
    guard actions.failure == 0 else { throw .system(operation: "prepare descriptors for", subject: command.program, errno: actions.failure) }
    var pid: pid_t = 0
    let code = withCStrings(arguments) { arguments in
      withCStrings(environment) { environment in
        posix_spawn(&pid, path, &actions.value, &attributes.value, arguments, environment)
      }
    }
    guard code == 0 else { throw failure(command, path: path, code: code) }
    return StartedChild(id: pid, program: command.program)
  }

  /// The system has one answer (ENOENT) for a program, its directory and its interpreter that are not there; this says which it was.
  private static func failure(_ command: Command, path: String, code: Int32) -> ProcessError {
    if let directory = command.directory, access(directory, X_OK) != 0 {
      return .system(operation: "run \(command.program): enter", subject: directory, errno: errno)
    }
    let isThere = (try? command.resolved()) != nil
    return .system(operation: code == ENOENT && isThere ? "run the interpreter of" : "run", subject: path, errno: code)
  }

  private static func withCStrings<Value>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
  ) -> Value {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }
}
