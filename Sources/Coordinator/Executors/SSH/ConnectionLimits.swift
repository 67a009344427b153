/// Waits and sizes of the sessions to one host.
package struct ConnectionLimits: Hashable, Sendable {
  /// From the name look-up to the end of the log-in.
  package var connect: Duration = .seconds(15)
  /// A host that does not answer a control message (opening a channel, starting a command) for so long makes the session useless.
  package var control: Duration = .seconds(15)
  /// A peer that was silent for this long is asked for a sign of life.
  package var keepalive: Duration = .seconds(30)
  /// After this many intervals without a byte the session is given up.
  package var missedKeepalives = 3
  /// Commands at once on one session; sshd's default MaxSessions is 10.
  package var channelsPerSession = 8
  package var sessions = 8
  package var firstBackoff: Duration = .seconds(1)
  package var longestBackoff: Duration = .seconds(30)

  package init() {}
}
