import Processes

/// How a device repository is built: the wrapper's calls, and what proves that a call did its work.
package protocol BuildDriver: Sendable {
  /// What the wrapper is called in messages, for example `balena-yocto-scripts/build/barys`.
  var wrapper: String { get }
  /// What proves a success besides fresh files.
  var proof: SuccessProof { get }
  /// PACKAGE_ARCHS, lowest preference first, where the build need not be asked.
  var packageArchitectures: [String]? { get }
  /// Whether git must work where the host's other directories cannot be seen.
  var runsInContainer: Bool { get }
  /// Directories and programs of the host, outside of the work tree, that the calls read; absolute.
  var hostPrograms: [String] { get }
  /// Why the wrapper cannot be run; nil when it can. Called after the checkout.
  func obstacle(in environment: [String: String]) -> Obstacle?
  /// Makes the directories that the calls name.
  func prepare() throws(YoctoError)
  /// The call, run from the repository's root; nil when this driver needs none.
  func command(_ run: BitbakeRun, environment: [String: String]) -> Command?
}

extension BuildDriver {
  package var hostPrograms: [String] { [] }
}

/// Why a wrapper cannot be run.
package struct Obstacle: Hashable, Sendable {
  /// Continues a sentence that begins with the repository's name.
  package var reason: String
  /// Whether the host lacks something (else the repository does).
  package var isOfHost: Bool
}

/// What a run must have said to have succeeded.
package enum SuccessProof: Hashable, Sendable {
  /// barys' line `Build for <machine> suceeded.`, since the status may lie.
  case barys
  /// Status 0, and a line that holds this text.
  case status(line: String?)
}
