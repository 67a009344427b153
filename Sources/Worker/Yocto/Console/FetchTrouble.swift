/// What bitbake's fetchers say about something that could not be fetched.
///
/// Their exceptions come as Python prints them (`Bitbake Fetcher Error: FetchError('…', 'git://…')`) or as text (`Fetcher failure for URL: 'git://…'. …`);
/// the cause is mostly in an earlier message, and there in the output of git or wget.
struct FetchTrouble: Hashable, Sendable {
  var url: String?
  /// What went wrong, without the URL.
  var cause: String
  /// nil when the recipe itself is wrong: no host could fetch it.
  var suspect: Suspect?

  /// Looks through the errors of a task, or of parsing; nil when none is about fetching. `output` is what the fetchers' programs wrote, where the
  /// errors do not hold it.
  static func find(in messages: [ConsoleMessage], output: [String] = []) -> FetchTrouble? {
    var url: String?
    var cause: String?
    var lastResort: String?
    for message in messages {
      for text in [message.text] + message.rest {
        guard let said = said(text, output: message.rest + output) else { continue }
        url = url ?? said.url
        if said.cause.hasPrefix("Unable to fetch URL from any source") { lastResort = said.cause } else { cause = cause ?? said.cause }
      }
    }
    guard let found = cause ?? lastResort ?? url.map({ _ in "it could not be fetched" }) else { return nil }
    // A recipe's own explanation (a missing checksum, say) comes before the exception and is longer.
    let explained = isOfRecipe(found) ? messages.first { !$0.text.contains("Fetcher") && $0.cause != nil }?.cause : nil
    let suspect: Suspect? = isOfRecipe(found) ? nil : messages.contains { $0.hostLine != nil } ? .host : .network
    return FetchTrouble(url: url, cause: ConsoleText.shortened(explained ?? found), suspect: suspect)
  }

  /// The address and the sentence, for a reason.
  var sentence: String { url.map { "\($0): \(cause)" } ?? cause }

  /// Errors that another host cannot get around.
  private static func isOfRecipe(_ cause: String) -> Bool {
    [
      "Unable to find file file://", "Missing SRC_URI checksum", "No checksum specified", "is invalid and cannot be interpreted",
      "is invalid: parameter", "Could not find a fetcher", "is missing the required parameter", "has invalid parameters", "Please set a valid SRCREV",
      "but not both",
      "Conflicting revisions", "recursive references in fetcher", "no valid SCM was found", "SRCREV_FORMAT",
    ].contains(where: cause.contains)
  }

  private static func said(_ text: String, output: [String]) -> (url: String?, cause: String)? {
    if let at = text.firstRange(of: "Bitbake Fetcher Error: ") { return PythonCall(text[at.upperBound...]).map { exception($0, output: output) } }
    if let at = text.firstRange(of: "Fetcher failure for URL: '"), let end = text[at.upperBound...].firstRange(of: "'. ") {
      return (String(text[at.upperBound..<end.lowerBound]), reason(text[end.upperBound...], output: output))
    }
    if let at = text.firstRange(of: "Fetcher failure: ") { return (nil, reason(text[at.upperBound...], output: output)) }
    if text.contains("Network access disabled through BB_NO_NETWORK"), let at = text.firstRange(of: "(for url ") {
      return (String(text[at.upperBound...].prefix { $0 != ")" }), offline)
    }
    return nil
  }

  private static let offline = "it is not among the downloads, and access to the network is disabled (BB_NO_NETWORK)"

  private static func exception(_ call: PythonCall, output: [String]) -> (url: String?, cause: String) {
    let first = (call.arguments.first ?? nil) ?? "", second = call.arguments.count > 1 ? call.arguments[1] : nil
    switch call.name {
    case "NetworkAccess": return (first, offline)
    case "UntrustedUrl": return (first, "its host is not among BB_ALLOWED_NETWORKS")
    case "MalformedUrl": return (first, "the URL is invalid and cannot be interpreted")
    case "NoMethodError": return (first, "Could not find a fetcher which supports the URL")
    case "MissingParameterError": return (second, "it is missing the required parameter '\(first)'")
    case "ParameterError": return (second, "it has invalid parameters. \(first)")
    default: return (second, reason(first[...], output: output))
    }
  }

  /// The sentence in an error's text: that of the command's output where the error is about a command.
  private static func reason(_ text: Substring, output: [String]) -> String {
    let lines = text.split(separator: "\n").map(String.init) + output
    guard let first = lines.first else { return "it could not be fetched" }
    if first.hasPrefix("Fetch command ") { return ofCommand(first[...], output: Array(lines.dropFirst())) }
    let joinsNext = first.hasSuffix(":") || first.hasSuffix("!")
    return joinsNext ? ConsoleText.joined(Array(lines.prefix(2))) : first
  }

  private static let chatter = [
    "Cloning into", "fatal: Could not read from remote repository", "Please make sure you have the correct access", "and the repository exists",
    "remote: Counting", "remote: Enumerating", "remote: Compressing", "remote: Total", "warning: ", "Receiving objects", "Resolving ",
    "The variable dependency chain", "Traceback", "File ",
  ]
  private static let signs = [
    "fatal: ", "error: ", "remote: ", "ssh: ", "wget: ", "curl: ", "ERROR ", "npm ERR!", "Permission denied", "Host key verification failed",
    "failed: ",
    "Unable to establish", "unable to resolve", "certificate",
  ]

  /// wget(1), "Exit status"; other programs' numbers say nothing.
  private static let ofWget = [
    "3": "file I/O error", "4": "network failure", "5": "SSL verification failure", "6": "authentication failure", "7": "protocol error",
    "8": "the server issued an error response",
  ]

  private static func withoutOutput(_ command: Substring) -> String {
    guard let range = command.ranges(of: "failed with exit code ").last else { return "the command failed" }
    let status = String(command[range.upperBound...].prefix { $0.isNumber })
    let isOfWget = command.contains("wget ")
    return "\(isOfWget ? "wget" : command.contains("git ") ? "git" : "the command") failed with exit code \(status)"
      + (isOfWget ? ofWget[status].map { " (\($0))" } ?? "" : "")
  }

  private static func ofCommand(_ first: Substring, output: [String]) -> String {
    if let at = first.firstRange(of: " not found"), at.upperBound == first.endIndex { return String(first) }
    let lines = output.map { $0.drop { $0 == " " } }.filter { line in !line.isEmpty && !chatter.contains(where: line.hasPrefix) }
    guard let line = lines.first(where: { line in signs.contains(where: line.contains) }) ?? lines.last else {
      return withoutOutput(first)
    }
    // wget begins with the time.
    return String(line.firstRange(of: "ERROR ").map { line[$0.lowerBound...] } ?? line)
  }
}
