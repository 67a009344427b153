/// Addresses as people write them, before anything is known of them.
package enum AddressText {
  /// Whether the address holds a password or what may be a token: anything before the host of an http address, and a password before that of another one.
  /// `git@host:path` and `ssh://git@host/path` name an account alone.
  package static func holdsCredential(_ address: String) -> Bool {
    guard let mark = address.firstRange(of: "://") else { return false }
    let authority = address[mark.upperBound...].prefix { !"/?#".contains($0) }
    guard let at = authority.lastIndex(of: "@") else { return false }
    let isWeb = ["http", "https"].contains(address[..<mark.lowerBound].lowercased())
    return isWeb || authority[..<at].contains(":")
  }

  /// The address in quotes for a complaint, without what may be a secret.
  static func quoted(_ address: String) -> String { holdsCredential(address) ? "an address with a password" : "'\(address)'" }
}
