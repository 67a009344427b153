/// One `scope` parameter of a token request: `repository:<name>:<action>,<action>`.
struct RegistryScope: Hashable {
  var repository: String
  /// In the order asked for; only `pull` and `push` exist.
  var actions: [String]

  /// nil for what the server silently ignores, several scopes joined by blanks among it.
  init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "repository", !text.contains(" "), !parts[1].isEmpty else { return nil }
    repository = String(parts[1])
    actions = parts[2].split(separator: ",").map(String.init).filter { ["pull", "push"].contains($0) }
  }
}
