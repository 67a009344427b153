import BuildModel

/// Why something was not published. No text holds a secret.
package enum PublishingError: BlamedError {
  /// The input itself cannot be published.
  case invalid(what: String, reason: String)
  /// Assets that must be there before a release may become final.
  case missingAssets(application: String, missing: [String], found: [String])
  /// The version is there already with other content.
  case conflict(application: String, version: String, release: Int, reason: String)
  /// Exactly this content was published and then taken back.
  case invalidated(application: String, version: String, release: Int)
  /// A directory of a bucket is in use or holds something else.
  case occupied(place: String, reason: String)
  /// The cloud's own data contradicts what is to be published.
  case unexpected(what: String, found: String, expected: String)
  /// The credential may not do it.
  case refused(what: String, hint: String)
  /// Nothing by that name.
  case notFound(what: String, available: [String])
  /// Somebody else changes the same thing all the time.
  case unsettled(what: String, remaining: String)

  package var blame: Blame {
    switch self {
    case .unexpected, .unsettled: .cloud
    case .missingAssets: .repository
    case .invalid, .conflict, .invalidated, .occupied, .refused, .notFound: .request
    }
  }

  package var description: String {
    switch self {
    case .invalid(let what, let reason): "\(what) cannot be published: \(reason)"
    case .missingAssets(let application, let missing, let found):
      "the release of \(application) lacks \(missing.joined(separator: ", ")); it has \(found.isEmpty ? "no assets" : found.joined(separator: ", "))"
    case .conflict(let application, let version, let release, let reason):
      "\(application) \(version) exists as release \(release) with other content: \(reason); "
        + "release another version, or pass --allow-conflict to publish a second release of this one"
    case .invalidated(let application, let version, let release):
      "\(application) \(version): exactly this content was published as release \(release) and invalidated; release another version"
    case .occupied(let place, let reason): "\(place) cannot be published to: \(reason)"
    case .unexpected(let what, let found, let expected): "\(what) is \(found), expected \(expected)"
    case .refused(let what, let hint): "\(what) was refused: \(hint)"
    case .notFound(let what, let available):
      "there is no \(what)\(available.isEmpty ? "" : "; there are: \(available.joined(separator: ", "))")"
    case .unsettled(let what, let remaining): "\(what) did not settle; still to do: \(remaining); is another program changing it?"
    }
  }
}
