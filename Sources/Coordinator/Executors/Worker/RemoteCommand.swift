/// A program and its arguments. An argument that begins with `~/` names a place in the account's home directory.
package struct RemoteCommand: Hashable, Sendable {
  package let arguments: [String]

  package init(_ arguments: [String]) { self.arguments = arguments }

  /// For sshd, which hands one text to the account's shell. Nothing in an argument is interpreted; only a leading `~/` becomes
  /// `"$HOME"/`, which sh, bash, zsh, fish and csh read alike.
  package var shellText: String { arguments.map(Self.quoted).joined(separator: " ") }

  /// The arguments for a child process of our own.
  func expanded(home: String) -> [String] {
    arguments.map { $0.hasPrefix("~/") ? home + $0.dropFirst(1) : $0 }
  }

  static func quoted(_ argument: String) -> String {
    if argument.hasPrefix("~/") { return "\"$HOME\"/" + quoted(String(argument.dropFirst(2))) }
    let plain = !argument.isEmpty && argument.utf8.allSatisfy(isPlain)
    return plain ? argument : "'" + argument.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: ":"): true
    default: false
    }
  }
}
