/// Limits of one exchange; an attempt that exceeds one fails and may be repeated.
package struct HTTPTimeouts: Hashable, Sendable {
  /// Name lookup, connecting and TLS.
  package var connect = Duration.seconds(15)
  /// From start to end; nil: what ``limit(forBytes:)`` says.
  package var total: Duration?
  /// With less than ``slowestRate`` in either direction; whole seconds, at least one.
  package var stall = Duration.seconds(60)

  /// Bytes in a second. A server that sends single bytes is as good as silent.
  static let slowestRate = 128
  /// Bytes in a second, over a whole exchange.
  private static let averageRate: Int64 = 16 << 10

  package init() {}
  package init(connect: Duration = .seconds(15), total: Duration? = nil, stall: Duration = .seconds(60)) {
    self.connect = connect
    self.total = total
    self.stall = stall
  }

  /// How long an exchange of so many bytes may take: a few stalls and the time for the bytes at a rate that every usable link has.
  /// nil where nobody knows how many there will be.
  func limit(forBytes count: Int64?) -> Duration? { total ?? count.map { stall * 5 + .seconds($0 / Self.averageRate) } }
}
