import BuildModel
import CSSH2
import FoundationEssentials
import Glibc

extension SSHSession {
  /// libssh2 sends keepalives but never misses their answers, and the kernel of a stopped peer still acknowledges. So the time since
  /// the last byte from the peer is watched.
  func startWatchingLiveness() {
    guard let handle else { return }
    let interval = limits.keepalive
    let dead = interval * limits.missedKeepalives
    var milliseconds = UInt32(saturating: dead.inSeconds * 1000)
    setsockopt(handle.descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, 4)
    libssh2_keepalive_config(handle.session, 1, 1)
    // Lasts as long as the session, which no scope holds; it ends with it (`end` cancels it) and does not keep it alive.
    liveness = Task { [weak self] in
      while (try? await Task.sleep(for: interval / 2)) != nil {
        guard let self, await self.checkLiveness(interval: interval, dead: dead) else { return }
      }
    }
  }

  private func checkLiveness(interval: Duration, dead: Duration) -> Bool {
    guard isUsable, let handle else { return false }
    var info = tcp_info()
    var length = socklen_t(MemoryLayout<tcp_info>.size)
    guard getsockopt(handle.descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else { return true }
    let silence = Duration.milliseconds(Int64(info.tcpi_last_data_recv))
    if silence > dead {
      end(ExecutorError.unreachable(host: hostName, reason: "no sign of life for \(Int(saturating: silence.inSeconds)) s"))
      return false
    }
    // Never while a call has its turn: its half-sent packet must go first.
    if silence >= interval / 2, !isTakenByCall, canSend(handle) {
      var next: Int32 = 0
      libssh2_keepalive_send(handle.session, &next)
    }
    return true
  }

  private func canSend(_ handle: SSHHandle) -> Bool {
    var descriptor = pollfd(fd: handle.descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&descriptor, 1, 0) == 1 && descriptor.revents == Int16(POLLOUT)
  }
}
