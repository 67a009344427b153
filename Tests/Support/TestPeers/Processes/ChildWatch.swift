import CLinux
import Foundation
import Synchronization

/// The thread that belongs to a child: it starts the child, reads what it prints, holds it to its time and takes its status.
struct ChildWatch: Sendable {
  let state: ChildState
  let spawn: ChildSpawn
  /// The reading ends of the child's standard output and standard error, which this closes.
  let reading: [Int32]
  /// What this keeps open until the child's end.
  let holding: Int32?
  /// Seconds.
  let limit: Double

  /// Starts the child; the thread ends with it. A descendant that holds the streams open is listened to for five more seconds.
  func start() throws -> pid_t {
    let started = DispatchSemaphore(value: 0)
    let result = Mutex<Result<pid_t, any Error>>(.failure(PeerError("not started")))
    Thread.detachNewThread {
      let made = Result { try spawn.start() }
      if case .success(let pid) = made { state.began(pid) }
      result.withLock { $0 = made }
      started.signal()
      if case .success(let pid) = made { follow(pid) }
      for descriptor in reading + [holding].compactMap({ $0 }) { close(descriptor) }
      state.closed()
    }
    started.wait()
    return try result.withLock { try $0.get() }
  }

  private func follow(_ pid: pid_t) {
    let end = blockfarm_pidfd_open(pid)
    precondition(end >= 0, "no pidfd: \(String(cString: strerror(errno)))")
    defer { close(end) }
    var open = Array(reading.enumerated())
    var isRunning = true
    var deadline = Date(timeIntervalSinceNow: limit)
    while isRunning || !open.isEmpty {
      var polled = (open.map(\.element) + (isRunning ? [end] : [])).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      let milliseconds = min(max(0, deadline.timeIntervalSinceNow * 1000).rounded(.up), 1e9)
      if poll(&polled, nfds_t(polled.count), Int32(milliseconds)) == 0 {
        guard isRunning else { return }
        state.append(Data("\n*** killed after \(limit) s\n".utf8), to: 1)
        state.signal(SIGKILL, group: true)
        deadline = .distantFuture
      }
      for entry in polled where entry.revents != 0 {
        if isRunning, entry.fd == end {
          state.reap()
          isRunning = false
          deadline = Date(timeIntervalSinceNow: 5)
        } else {
          open.removeAll { $0.element == entry.fd && !take($0) }
        }
      }
    }
  }

  /// False at the end of the stream.
  private func take(_ stream: (offset: Int, element: Int32)) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = read(stream.element, &buffer, buffer.count)
    if count > 0 { state.append(Data(buffer[..<count]), to: stream.offset) }
    return count > 0 || count < 0 && errno == EINTR
  }
}
