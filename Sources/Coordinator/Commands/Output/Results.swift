import FarmService
import Glibc

/// Standard output: what a command was asked for, and nothing else. A result that cannot be written is a ``FarmError``.
enum Results {
  /// Writes a line, or several.
  static func print(_ text: String, terminator: String = "\n") throws {
    var text = text + terminator
    try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
  }

  /// Writes bytes as they are. Where the reader of a pipe went away the program ends as SIGPIPE ends programs.
  static func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(STDOUT_FILENO, rest.baseAddress, rest.count)
      if count > 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        // Whoever started the program made the terminal or the pipe non-blocking.
        var descriptor = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        poll(&descriptor, 1, -1)
      case EPIPE: endQuietly()
      default: throw FarmError.farm("standard output cannot be written: \(String(cString: strerror(errno)))")
      }
    }
  }

  private static func endQuietly() -> Never {
    signal(SIGPIPE, SIG_DFL)
    raise(SIGPIPE)
    // Only where the signal is blocked: 128 and its number is what a shell makes of it.
    _exit(128 + SIGPIPE)
  }

  /// Keeps 0, 1 and 2 from becoming the numbers of files that are opened later: where one is closed, writing to it is to fail.
  static func reserveDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is this one.
      _ = open("/dev/null", O_RDONLY)
    }
  }
}
