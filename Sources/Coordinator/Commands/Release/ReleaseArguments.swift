import ArgumentParser
import BuildModel
import CoordinatorConfiguration
import FarmService
import FoundationEssentials
import Publishing

/// One release of one application.
struct ReleaseArguments: ParsableArguments {
  @Argument(help: "The application: its name, or organization/name.")
  var application: String
  @Argument(help: "The release: a version, a complete commit, or id:NUMBER.")
  var release: String

  func selector() throws -> ReleaseSelector {
    guard let selector = ReleaseSelector(release) else {
      throw FarmError.usage("'\(release)' is neither a version nor a complete commit nor id:NUMBER")
    }
    return selector
  }
}
