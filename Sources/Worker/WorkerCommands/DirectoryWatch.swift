import CLinux
import Glibc

/// Waits until something in a directory changes, or standard output loses its reader.
final class DirectoryWatch {
  private let descriptor: Int32

  init(_ path: String) {
    descriptor = inotify_init1(Int32(O_CLOEXEC | O_NONBLOCK))
    if descriptor >= 0 { inotify_add_watch(descriptor, path, UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO)) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Returns after a change, at the latest after `seconds`; without inotify (no more watches) after a tenth of a second.
  func wait(seconds: Double) throws {
    let limit = descriptor >= 0 ? seconds : min(seconds, 0.1)
    var polled = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: 1, events: 0, revents: 0),
    ]
    poll(&polled, 2, Int32(max(0.001, limit) * 1000))
    if Int32(polled[1].revents) & (POLLERR | POLLHUP | POLLNVAL) != 0 { throw StandardOutput.Closed() }
    if polled[0].revents != 0 {
      // A build writes in bursts of short lines: one message for each burst.
      poll(nil, 0, 15)
      var events = [UInt8](repeating: 0, count: 16384)
      while read(descriptor, &events, events.count) > 0 {}
    }
  }
}
