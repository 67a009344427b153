import BuildModel

/// All images at one place, and what else is there.
package struct StoredImages: Sendable {
  /// An image that the place lists.
  package struct Candidate: Sendable {
    package enum Content: Sendable {
      case image(StoredImage)
      /// Some of its blobs are not here, as where only some platforms were copied; the text says which.
      case absent(String)
      case damaged(OCIImageError)
    }

    package var names: [String]
    /// As the index or the configuration says.
    package var platform: Platform?
    /// Of the manifest; nil in a docker-archive.
    package var manifest: Digest?
    package var content: Content
    /// The number of the entry of the outermost index that it belongs to.
    var entry: Int

    /// What it is called in messages: its name, else its digest.
    package var label: String { names.first.map(Printable.text) ?? manifest.map { "sha256:\($0.short)" } ?? "an image without a name" }
    fileprivate var described: String { label + (platform.map { " (\($0))" } ?? "") }
  }

  /// As a person named it.
  package var place: String
  package var candidates: [Candidate] = []
  /// A line for each thing worth knowing that is no failure, foremost what was left out: attestations, artifacts, absent platforms.
  package var notes: [String] = []

  init(place: String) { self.place = place }

  /// The candidates by what a person can ask for: those of one name, or of one entry without a name, stand together; there are several where the
  /// image exists for several platforms.
  package var groups: [[Candidate]] {
    var groups: [[Candidate]] = []
    var places: [String: Int] = [:]
    for candidate in candidates {
      let key = candidate.names.first.map { "name \($0)" } ?? "entry \(candidate.entry)"
      if let place = places[key] {
        groups[place].append(candidate)
      } else {
        places[key] = groups.count
        groups.append([candidate])
      }
    }
    return groups
  }

  /// The one image that is asked for: by a name, or the manifest's or the configuration's digest; the only one without. Where it exists for several
  /// platforms, `platform` says which; one for another platform is never given. What is left out on the way is added to ``notes``.
  package mutating func select(_ name: String? = nil, platform: Platform? = nil) throws(OCIImageError) -> StoredImage {
    let named = name.map { candidates(called: $0) } ?? candidates
    guard !named.isEmpty else {
      throw .selection("no image \(name.map { "\(Printable.quoted($0)) " } ?? "")in \(place); \(known)")
    }
    return try select(among: named, platform: platform)
  }

  /// Those of a name, or of the digest of a manifest or configuration.
  package func candidates(called name: String) -> [Candidate] { candidates.filter { $0.isCalled(name) } }

  /// The one of these that is for the platform.
  package mutating func select(among named: [Candidate], platform: Platform?) throws(OCIImageError) -> StoredImage {
    let fitting = platform.map { platform in named.filter { $0.platform.map { $0.fits(platform) } ?? true } } ?? named
    guard !fitting.isEmpty else {
      let offered = named.map(\.described).joined(separator: ", ")
      throw .selection("no image for \(platform.map { "\($0)" } ?? "") in \(place); it has: \(offered)")
    }
    let present = fitting.filter { if case .absent = $0.content { false } else { true } }
    let unique = Self.withoutTwins(present.isEmpty ? fitting : present)
    guard unique.count == 1 else {
      let platforms = Set(unique.compactMap(\.platform))
      let how = platforms.count == unique.count && Set(unique.map(\.names)).count == 1 ? "name one with --platform" : "say which one by ':NAME'"
      throw .selection("\(Counted(unique.count, "image")) in \(place), \(how); \(known)")
    }
    for case let candidate in named where !unique.contains(where: { $0.manifest == candidate.manifest }) {
      if case .absent(let reason) = candidate.content { notes.append("left out: \(candidate.described): \(reason)") }
    }
    switch unique[0].content {
    case .image(let image): return image
    case .absent(let reason): throw .selection("\(unique[0].described) in \(place): \(reason)")
    case .damaged(let error): throw error
    }
  }

  /// One image may be listed several times.
  private static func withoutTwins(_ candidates: [Candidate]) -> [Candidate] {
    var seen: Set<Digest> = []
    return candidates.filter { $0.manifest.map { seen.insert($0).inserted } ?? true }
  }

  /// What is there, for messages.
  private var known: String {
    let names = candidates.flatMap { candidate in candidate.names.map { Printable.text($0) } }
    let unnamed = candidates.filter(\.names.isEmpty).compactMap(\.manifest).map(\.description)
    let all = Set(names).sorted() + unnamed
    let left = notes.prefix(10).map { "; \($0)" }.joined()
    guard !all.isEmpty else { return (candidates.isEmpty ? "it has no image" : "its images have no names") + left }
    return "it has: \(all.prefix(40).joined(separator: ", "))" + left
  }
}

extension StoredImages.Candidate {
  fileprivate func isCalled(_ name: String) -> Bool {
    if names.contains(name) { return true }
    guard let digest = Digest(name) else { return false }
    if case .image(let image) = content, image.id == digest { return true }
    return manifest == digest
  }
}
