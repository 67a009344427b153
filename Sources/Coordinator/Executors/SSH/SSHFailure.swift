import BuildModel
import CSSH2

/// A libssh2 call that did not succeed.
struct SSHFailure: Error, CustomStringConvertible {
  let operation: String
  let code: Int32
  let message: String

  var description: String { "\(operation): \(message.isEmpty ? "libssh2 error" : message) (\(code))" }

  /// Errors after which the connection's state is unknown.
  var endsSession: Bool {
    switch code {
    case LIBSSH2_ERROR_SOCKET_NONE, LIBSSH2_ERROR_INVALID_MAC, LIBSSH2_ERROR_KEX_FAILURE, LIBSSH2_ERROR_ALLOC, LIBSSH2_ERROR_SOCKET_SEND,
      LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_SOCKET_TIMEOUT,
      LIBSSH2_ERROR_DECRYPT, LIBSSH2_ERROR_BAD_USE, LIBSSH2_ERROR_BAD_SOCKET, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_ENCRYPT,
      LIBSSH2_ERROR_BANNER_RECV, LIBSSH2_ERROR_BANNER_SEND, LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_OUT_OF_BOUNDARY:
      true
    default: false
    }
  }
}

/// Carries no host's name: it is said where the command was started.
extension SSHFailure: BlamedError {
  var blame: Blame { .host }
}
