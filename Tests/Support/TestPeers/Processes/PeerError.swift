/// What a test needs of this machine and did not get: a failure of the test, never a reason to skip it.
package struct PeerError: Error, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}
