/// Whose fault it is that something was not done. The program's exit status and what happens to hosts follow from it alone.
package enum Blame: String, Codable, Hashable, Sendable, CaseIterable {
  /// What was asked for, or the configuration.
  case request
  /// A device repository, or what its build made.
  case repository
  /// A worker host, or the way to it.
  case host
  /// The machine that the coordinator runs on: its disk, its state, its programs.
  case coordinator
  /// A server that is not ours: balenaCloud, a registry, a bucket, a feed, a git remote.
  case cloud
}

/// An error that knows whose fault it is. Each room's error type is one.
package protocol BlamedError: Error, Sendable, CustomStringConvertible {
  var blame: Blame { get }
}
