import CSSH2
import Glibc

/// The socket and the libssh2 session of one ``SSHSession``; freed together when the last reference goes.
///
/// Used on the loop's thread only, but for the end, when nobody else can hold it.
final class SSHHandle: @unchecked Sendable {
  let descriptor: Int32
  let session: OpaquePointer
  private let counter: UnsafeMutablePointer<blockfarm_ssh2_counter>

  /// libssh2 must be set up once, before any thread uses it.
  private static let libraryReady = libssh2_init(0) == 0

  /// Takes over a connected, non-blocking socket; nil when memory is short (the socket is closed then).
  init?(descriptor: Int32) {
    counter = .allocate(capacity: 1)
    counter.initialize(to: blockfarm_ssh2_counter(received: 0))
    guard Self.libraryReady, let session = blockfarm_ssh2_session(counter) else {
      counter.deallocate()
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    self.session = session
    libssh2_session_set_blocking(session, 0)
  }

  /// Bytes taken from the socket so far.
  var received: UInt64 { counter.pointee.received }

  func shutDown() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  deinit {
    // First the socket: every libssh2 call below then ends at once instead of waiting for the peer.
    shutDown()
    libssh2_session_set_blocking(session, 1)
    libssh2_session_free(session)
    close(descriptor)
    counter.deallocate()
  }
}
