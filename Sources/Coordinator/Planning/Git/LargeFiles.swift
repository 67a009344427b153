/// Files that git keeps elsewhere.
enum LargeFiles {
  /// Git LFS keeps contents outside of git, where no bundle finds them.
  static func refuse(_ source: RepositorySource, in directory: String) throws(PlanningError) {
    let output = try GitCommand.run(["ls-files", "-z", "--", ":(attr:filter=lfs)"], in: directory, repository: source.name)
    let files = output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    guard let first = files.first else { return }
    let place = directory == source.path ? "" : String(directory.dropFirst(source.path.count + 1)) + "/"
    throw .repository(
      name: source.name,
      reason: "keeps files in Git LFS (\(place)\(first)\(files.count > 1 ? " and \(files.count - 1) more" : "")), which is not supported",
      hint: "commit them as ordinary files")
  }
}
