import Glibc

/// The program as an account's forced command (sshd_config(5), ForceCommand): the client's words are in SSH_ORIGINAL_COMMAND.
///
/// They are split without any shell. Only single quotes mean something, so that a client which quotes for a shell is understood;
/// whatever else a shell would act on is refused.
enum ForcedCommand {
  private static let verbs: Set<String> = ["probe", "start", "attach", "cancel", "blob", "source", "list", "acknowledge", "gc"]

  /// The arguments to parse: `given` when it names a verb or SSH has none, else the client's verb and its arguments followed by `given`
  /// (options that the forced command fixes, such as `--root`). A root that the client names is dropped.
  static func arguments(_ given: [String], original: String?) throws -> [String] {
    let namesVerb = given.contains { verbs.contains($0) || ["run", "help", "--help", "-h", "--version"].contains($0) }
    guard !namesVerb, let original, !original.isEmpty else { return given }
    guard original.utf8.count <= 4096 else { throw WorkerExit.usage("the command is too long") }
    var words = try split(original)
    if let first = words.first, first == "blockfarm-worker" || first.hasSuffix("/blockfarm-worker") { words.removeFirst() }
    guard let verb = words.first, verbs.contains(verb) else {
      throw WorkerExit.usage("this account only accepts \(verbs.sorted().joined(separator: ", ")); not '\((words.first ?? "").prefix(80))'")
    }
    while let at = words.firstIndex(of: "--root") { words.removeSubrange(at..<min(at + 2, words.count)) }
    words.removeAll { $0.hasPrefix("--root=") }
    return words + given
  }

  /// Words separated by blanks; `'…'` keeps blanks, `'\''` is a quote.
  static func split(_ text: String) throws -> [String] {
    var words: [String] = []
    var word: String?
    var rest = Array(text)[...]
    while let character = rest.popFirst() {
      switch character {
      case " ", "\t":
        if let done = word { words.append(done) }
        word = nil
      case "'":
        guard let end = rest.firstIndex(of: "'") else { throw WorkerExit.usage("a quote is not closed") }
        word = (word ?? "") + String(rest[..<end])
        rest = rest[(end + 1)...]
      case "\\" where rest.first == "'":
        word = (word ?? "") + "'"
        rest = rest.dropFirst()
      case _ where character.isASCII && (character.isLetter || character.isNumber || "-_./:+@=,%~".contains(character)):
        word = (word ?? "") + String(character)
      default:
        throw WorkerExit.usage("the character '\(character)' is not accepted in a command")
      }
    }
    if let done = word { words.append(done) }
    return words
  }
}
