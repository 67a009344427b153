import ArgumentParser
import BuildModel
import FarmService

/// How builds on this machine are kept from the rest of it.
struct IsolationOption: ParsableArguments {
  @Option(
    name: .long,
    help: "With --local: 'bubblewrap' (the default) runs builds in a sandbox; 'none' gives their programs all that your account has.")
  var isolation: String?

  /// Whether builds run without a sandbox. Of a worker host its own file says so.
  func isUnconfined(isLocal: Bool) throws -> Bool {
    guard let isolation else { return false }
    guard isLocal else { throw FarmError.usage("--isolation belongs to --local; for a worker host, 'isolation: none' in its file says it") }
    guard let choice = Isolation.isUnconfined(isolation) else {
      throw FarmError.usage("unknown value '\(isolation)' of --isolation; known: \(Isolation.choices)")
    }
    return choice
  }
}
