import Glibc
import TestFiles
import TestPeers

extension LoopbackSocket {
  /// Sends that many bytes. `stuck` gets their number when the peer first took none for half a second, or at the end; false when the peer
  /// ended the connection.
  func fill(_ total: Int, _ stuck: (Int) -> Void) -> Bool {
    let piece = noise(64 << 10)
    var sent = 0
    var wasStuck = false
    while sent < total {
      var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      if !wasStuck, poll(&wait, 1, 500) == 0 {
        wasStuck = true
        stuck(sent)
      }
      let count = Glibc.send(descriptor, piece, min(piece.count, total - sent), Int32(MSG_NOSIGNAL) | (wasStuck ? 0 : Int32(MSG_DONTWAIT)))
      if count < 0, errno == EAGAIN { continue }
      guard count > 0 else { return false }
      sent += count
    }
    if !wasStuck { stuck(sent) }
    return true
  }

  /// Closing it sends RST.
  func resetOnClose() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
  }
}
