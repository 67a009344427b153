import Foundation

/// The account that programs run as which refuse to run as root: `nobody` where root runs the tests, else the tests' own.
package enum OrdinaryUser {
  private static let nobody = "65534"

  package static let name = getuid() == 0 ? "nobody" : NSUserName()

  /// What comes before a program's words to run it as that account.
  package static let words =
    getuid() == 0 ? ["setpriv", "--reuid=\(nobody)", "--regid=\(nobody)", "--clear-groups", "--pdeathsig", "KILL", "--"] : []

  /// Gives a tree to that account.
  package static func own(_ path: String) throws {
    guard getuid() == 0 else { return }
    try Tool.run("chown", "-R", "\(nobody):\(nobody)", path)
  }
}
