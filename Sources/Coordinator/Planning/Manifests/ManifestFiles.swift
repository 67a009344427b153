import BuildModel

/// Finds the manifests in a checkout's root: one device type each.
enum ManifestFiles {
  /// `<file>.coffee`, or `<file>.json` where there is no such `.coffee`: the build makes the other JSON files anew. A manifest that cannot be read
  /// costs its own device type alone. Throws where the directory cannot be listed.
  static func read(_ directory: String, into listing: inout RepositoryListing) throws(PlanningError) {
    let files = Set(try RepositoryFiles.names(directory))
    let built = builtFiles(directory, files)
    let stems = Set(
      files.compactMap { name in [".coffee", ".json"].first { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) } })
    for file in stems.sorted() where !file.isEmpty {
      let isCoffee = files.contains(file + ".coffee")
      let name = file + (isCoffee ? ".coffee" : ".json")
      let path = "\(directory)/\(name)"
      guard isCoffee || built?.contains(name) ?? true else { continue }
      do throws(PlanningError) {
        guard let fields = try isCoffee ? ManifestFields.coffee(RepositoryFiles.contents(path), path: path) : fields(json: path, &listing.notices)
        else { continue }
        listing.deviceTypes.append(try fields.deviceType(file: file, path: path))
      } catch {
        listing.brokenManifests.append(BrokenManifest(file: file, error: error))
      }
    }
    refuseTwins(directory, files, &listing)
  }

  /// The files of the root that are part of what is built: a JSON file that git ignores was made by an earlier build, of a manifest that may be gone.
  /// nil where there is nothing to ask, or git does not know.
  private static func builtFiles(_ directory: String, _ files: Set<String>) -> Set<String>? {
    guard files.contains(where: { $0.hasSuffix(".json") && !files.contains($0.dropLast(".json".count) + ".coffee") }) else { return nil }
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ":(glob)*.json"]
    guard let output = try? GitCommand.run(arguments, in: directory, repository: directory) else { return nil }
    return Set(output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
  }

  /// nil where the file is no manifest. What is no JSON at all may be anything, so it is no failure.
  private static func fields(json path: String, _ notices: inout [String]) throws(PlanningError) -> ManifestFields? {
    let bytes = try RepositoryFiles.contents(path)
    do throws(PlanningError) {
      return try ManifestFields.json(bytes, path: path)
    } catch .unreadable(_, let line, let reason) where reason.hasPrefix("is not JSON") {
      notices.append("\(path)\(line.map { ":\($0)" } ?? "") is not used: it \(reason)")
      return nil
    }
  }

  /// Two manifests of one slug: nobody can tell which one is meant.
  private static func refuseTwins(_ directory: String, _ files: Set<String>, _ listing: inout RepositoryListing) {
    for (slug, twins) in Dictionary(grouping: listing.deviceTypes, by: \.slug) where twins.count > 1 {
      listing.deviceTypes.removeAll { $0.slug == slug }
      for twin in twins.sorted(by: { $0.file < $1.file }) {
        let others = twins.filter { $0.file != twin.file }.map(\.file).sorted().joined(separator: ", ")
        let path = "\(directory)/\(twin.file)" + (files.contains(twin.file + ".coffee") ? ".coffee" : ".json")
        listing.brokenManifests.append(
          BrokenManifest(
            file: twin.file, error: .unreadable(file: path, line: nil, reason: "has the slug '\(slug)', and so has the manifest of \(others)")))
      }
    }
    listing.brokenManifests.sort { $0.file < $1.file }
  }
}
