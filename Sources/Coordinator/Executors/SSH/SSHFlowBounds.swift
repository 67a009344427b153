/// What a peer can make one session read, hold and cost. All sessions share a thread, so no call may read for as long as a peer sends.
struct SSHFlowBounds: Hashable, Sendable {
  /// Bytes that one session reads in one turn of the loop: less than a millisecond of decrypting.
  var bytesPerTurn: UInt32 = 256 << 10
  /// Reads in one turn: the lines before the SSH version are read byte by byte.
  var readsPerTurn: UInt32 = 256
  /// When a turn's reading ends in any case. One read, of 16 KiB at most, can be under way then.
  var nanosecondsPerTurn: UInt64 = 5_000_000
  /// Bytes in all until the log-in has succeeded. An honest host needs less than 10 KiB and its log-in banner.
  var beforeLogin: UInt64 = 256 << 10
  /// Bytes of memory that libssh2 may hold for one session: the windows of all channels, and their packets.
  var memory = 64 << 20
  /// Pieces of that memory, two for a packet: libssh2 searches its packets one after the other.
  var pieces = 256 << 10
  /// The bytes from the beginning that are kept for messages: the version and the host's list of algorithms.
  var opening = 16 << 10
}
