/// What differs between a work tree and its commit.
struct GitStatus {
  /// `XY`, git-status(1)'s two letters, and a path below the work tree; a directory that is new as a whole ends with a slash.
  private var entries: [(letters: String, path: String)] = []

  /// Changes inside of submodules count, whatever their configuration says.
  static func read(_ directory: String, _ source: RepositorySource) throws(PlanningError) -> GitStatus {
    let arguments = ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal", "--ignore-submodules=none"]
    var status = GitStatus()
    for entry in try GitCommand.run(arguments, in: directory, repository: source.name).split(separator: 0) where entry.count > 3 {
      status.entries.append((String(decoding: entry.prefix(2), as: UTF8.self), String(decoding: entry.dropFirst(3), as: UTF8.self)))
    }
    return status
  }

  var paths: [String] { entries.map(\.path) }

  /// The first ones, for people; nil where nothing differs.
  var summary: String? {
    guard !entries.isEmpty else { return nil }
    let shown = entries.prefix(5).map { "\($0.letters.drop { $0 == " " }.prefix { $0 != " " }) \($0.path)" }.joined(separator: ", ")
    return shown + (entries.count > 5 ? ", … \(entries.count) in all" : "")
  }
}
