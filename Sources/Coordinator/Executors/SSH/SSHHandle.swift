import CSSH2
import Glibc

/// The socket and the libssh2 session of one ``SSHSession``; freed together when the last reference goes.
///
/// Unchecked, because libssh2's session must not be used by two threads at once. Safe, because only the loop's thread uses it, but for its end, when
/// nobody else can hold it.
final class SSHHandle: @unchecked Sendable {
  let descriptor: Int32
  let session: OpaquePointer
  private let flow: UnsafeMutablePointer<blockfarm_ssh2_flow>
  private let bounds: SSHFlowBounds
  private var turn: UInt64?

  /// libssh2 must be set up once, before any thread uses it.
  private static let libraryReady = libssh2_init(0) == 0

  /// Takes over a connected, non-blocking socket; nil when memory is short (the socket is closed then).
  init?(descriptor: Int32, bounds: SSHFlowBounds = SSHFlowBounds()) {
    flow = .allocate(capacity: 1)
    flow.initialize(to: blockfarm_ssh2_flow())
    flow.pointee.received_limit = bounds.beforeLogin
    flow.pointee.memory_limit = bounds.memory
    flow.pointee.pieces_limit = bounds.pieces
    flow.pointee.opening = .allocate(capacity: bounds.opening)
    flow.pointee.opening_capacity = bounds.opening
    guard Self.libraryReady, let session = blockfarm_ssh2_session(flow) else {
      flow.pointee.opening.deallocate()
      flow.deallocate()
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    self.session = session
    self.bounds = bounds
    libssh2_session_set_blocking(session, 0)
  }

  /// Bytes taken from the socket so far.
  var received: UInt64 { flow.pointee.received }

  // MARK: Bounds

  /// To be called before each call of libssh2: what may be read is refilled once for each turn of the loop.
  func begin(turn: UInt64) {
    flow.pointee.is_spent = 0
    guard turn != self.turn else { return }
    self.turn = turn
    flow.pointee.bytes_left = bounds.bytesPerTurn
    flow.pointee.reads_left = bounds.readsPerTurn
    flow.pointee.turn_end = blockfarm_ssh2_now() + bounds.nanosecondsPerTurn
  }

  /// The last call ended because it may read no more in this turn: the peer may have sent more, which the socket will not say again.
  var isSpent: Bool { flow.pointee.is_spent != 0 }

  /// From the log-in on, a session may receive any amount.
  func liftLoginBound() { flow.pointee.received_limit = .max }

  /// Why nothing more is taken from the peer; nil when it keeps to the bounds.
  var refusal: String? {
    switch flow.pointee.refusal {
    case BLOCKFARM_SSH2_NO_VERSION:
      "it sends something else than an SSH server does (no version in the first \(blockfarm_ssh2_version_limit >> 10) KiB): "
        + "check the address and the port"
    case BLOCKFARM_SSH2_TOO_MUCH_RECEIVED: "it sent more than \(bounds.beforeLogin >> 10) KiB before the log-in"
    case BLOCKFARM_SSH2_TOO_MUCH_MEMORY:
      "it sent more that nobody asked for than one session may hold (\(bounds.memory >> 20) MiB in \(bounds.pieces) pieces)"
    default: nil
    }
  }

  /// The first bytes that the peer sent, in plain text, at most ``SSHFlowBounds/opening``. They are kept until they are taken.
  func takeOpening() -> [UInt8] {
    guard let opening = flow.pointee.opening else { return [] }
    let bytes = Array(UnsafeBufferPointer(start: opening, count: flow.pointee.opening_length))
    opening.deallocate()
    (flow.pointee.opening, flow.pointee.opening_length, flow.pointee.opening_capacity) = (nil, 0, 0)
    return bytes
  }

  /// Ends the connection. Nothing more is read then, also of what the peer has sent already.
  func shutDown() {
    _ = blockfarm_ssh2_refuse(flow, BLOCKFARM_SSH2_SHUT_DOWN)
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  deinit {
    // First the socket: every libssh2 call below then ends at once instead of waiting for the peer.
    shutDown()
    libssh2_session_set_blocking(session, 1)
    libssh2_session_free(session)
    close(descriptor)
    flow.pointee.opening?.deallocate()
    flow.deallocate()
  }
}
