import BuildModel

/// What a publication is doing, for progress displays. Nothing depends on it.
package enum PublishEvent: Hashable, Sendable {
  case application(String)
  /// A draft exists.
  case draft(String, release: Int64)
  /// There is nothing left to do for it: somebody else, or an earlier run, did all of it.
  case found(String, release: Int64)
  case pushing(String, service: String)
  case attaching(String, asset: String)
  case complete(String, release: Int64)
  /// `name` is what the server calls it.
  case final(String, release: Int64, version: String, name: String)
  case notice(String)
}
