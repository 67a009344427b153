import BuildModel

/// Makes sure that the repository of a work tree has all that a bundle of one commit needs: no worker can fetch what is missing. Synchronous; what is
/// missing is fetched from the work tree's remote, see ``GitRemote``, which changes neither the work tree nor its branches.
struct CloneCompletion {
  let source: RepositorySource
  /// Where the work tree lies below the repository; empty for the repository itself.
  let place: String
  /// What a person is to know of what was done.
  private(set) var notices: [String] = []

  /// Up to so many objects the whole history is looked at, which takes a second; in larger repositories the commit's own tree is. What is missing in
  /// their history shows when the bundle is made.
  private static let walkLimit = 50_000

  init(source: RepositorySource, place: String = "") {
    self.source = source
    self.place = place
  }

  private var directory: String { place.isEmpty ? source.path : source.path + "/" + place }
  private var subject: String { place.isEmpty ? "the checkout" : "submodule " + place }

  /// A shallow clone gets the rest of its history, with the tags that name the version.
  mutating func deepen() throws(PlanningError) {
    guard try git(["rev-parse", "--is-shallow-repository"]).hasPrefix("true") else { return }
    try fetch(
      ["--unshallow", place.isEmpty ? "--tags" : "--no-tags"], command: "fetch --unshallow",
      "is a shallow clone, and the rest of its history cannot be fetched")
    notices.append("\(subject) was a shallow clone: the rest of its history was fetched")
  }

  /// Fetches the commit and whatever else of it is missing; refuses what the remote does not have.
  mutating func complete(_ commit: CommitID) throws(PlanningError) {
    if (try? git(["cat-file", "-e", commit.hex + "^{commit}"])) == nil {
      try fetch(["--no-tags"], what: commit.hex, command: "fetch", "lacks commit \(commit.short), and it cannot be fetched")
      notices.append("commit \(commit.short) of \(subject) was fetched")
    }
    guard let missing = try firstMissing(of: commit) else { return }
    let command = "fetch --refetch --no-filter"
    try fetch(
      ["--refetch", "--no-filter", "--no-tags"], command: command,
      "lacks object \(missing) of commit \(commit.short), and it cannot be fetched")
    if let still = try firstMissing(of: commit) {
      throw .repository(
        name: source.name, reason: "\(subject) lacks object \(still) of commit \(commit.short), and its remote does not have it either",
        hint: "run, with a repository that has it: git -C \(directory) \(command) <url>")
    }
    notices.append("objects that \(subject) lacked were fetched")
  }

  /// The first object of the commit that is not there; git fetches nothing by itself here.
  private func firstMissing(of commit: CommitID) throws(PlanningError) -> String? {
    let count = try git(["count-objects", "-v"]).split(separator: "\n").reduce(0) { sum, line in
      let parts = line.split(separator: " ")
      return parts.count == 2 && ["count:", "in-pack:"].contains(parts[0]) ? min(sum + (Int(parts[1]) ?? 0), 1 << 40) : sum
    }
    let depth = count > Self.walkLimit ? ["--no-walk"] : []
    let listing: String
    do {
      listing = try git(["rev-list", "--objects", "--quiet", "--missing=print"] + depth + [commit.hex])
    } catch {
      // A commit or tree that is not there ends the walk.
      guard case .git(_, _, let reason, .repository) = error else { throw error }
      return "(\(reason))"
    }
    return listing.split(separator: "\n").first { $0.hasPrefix("?") }.map { String($0.dropFirst()) }
  }

  /// Fetches from the remote; `refusal` is what is wrong where that does not go, and `command` begins what a person can run then.
  private func fetch(_ options: [String], what: String? = nil, command: String, _ refusal: String) throws(PlanningError) {
    guard let remote = try GitRemote.find(in: directory, repository: source.name) else {
      throw .repository(
        name: source.name, reason: "\(subject) \(refusal): it has no remote",
        hint: "name one and run blockfarm again: git -C \(directory) remote add origin <url>")
    }
    do {
      try fetch(options + [remote.name] + [what].compactMap(\.self))
    } catch {
      let reason = "\(subject) \(refusal): \(cause(error))"
      let hint = "run: git -C \(directory) \(command) \(remote.name)\(what.map { " " + $0 } ?? "")"
      // The repository cannot help it that its remote, or the way there, is down.
      guard error.blame == .repository else {
        throw .git(repository: source.name, operation: "fetch", reason: "\(reason); when it answers again, \(hint)", blame: error.blame)
      }
      throw .repository(name: source.name, reason: reason, hint: hint)
    }
  }

  /// git's own words, without the repository that stands before them.
  private func cause(_ error: PlanningError) -> String {
    if case .git(_, _, let reason, _) = error { reason } else { "\(error)" }
  }

  private func fetch(_ arguments: [String]) throws(PlanningError) {
    _ = try git(
      ["-c", "protocol.file.allow=always", "-c", "gc.auto=0", "fetch", "--quiet", "--no-write-fetch-head", "--recurse-submodules=no"] + arguments)
  }

  private func git(_ arguments: [String]) throws(PlanningError) -> String {
    let output = try GitCommand.run(
      arguments, in: directory, repository: source.name, limitSeconds: 1800, passing: ["HOME", "SSH_AUTH_SOCK"])
    return String(decoding: output, as: UTF8.self)
  }
}
