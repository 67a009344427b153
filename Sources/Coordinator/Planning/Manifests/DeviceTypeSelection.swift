import BuildModel

/// Finds the device types that a request means, from what the manifests say. Pure.
struct DeviceTypeSelection {
  /// One device type as one repository defines it; `repository` is an index into the listings.
  struct Definition {
    var deviceType: DeviceType
    var repository: Int
  }

  /// What a request means.
  struct Selected {
    /// The definitions of each device type, in the order of the repositories; sorted by slug.
    var deviceTypes: [(slug: Slug, definitions: [Definition])] = []
    /// Manifests that the request means and that cannot be read.
    var brokenManifests: [BrokenManifest] = []
    /// Those of the same repositories that it does not mean.
    var otherBrokenManifests: [BrokenManifest] = []
    /// Repositories with anything of it, as indices into the listings.
    var repositories: Set<Int> = []
  }

  private let listings: [RepositoryListing]
  private let request: PlanRequest
  /// By slug, of the repositories that the request allows.
  private var definitions: [Slug: [Definition]] = [:]
  private let allowed: Set<Int>

  init(_ listings: [RepositoryListing], for request: PlanRequest) throws(PlanningError) {
    self.listings = listings
    self.request = request
    try Self.check(request.repositories, among: listings.map(\.name))
    allowed = Set(listings.indices.filter { request.repositories.isEmpty || request.repositories.contains(listings[$0].name) })
    for index in allowed.sorted() {
      for deviceType in listings[index].deviceTypes {
        definitions[deviceType.slug, default: []].append(Definition(deviceType: deviceType, repository: index))
      }
    }
  }

  /// Refuses names of repositories that nothing is configured for.
  static func check(_ names: [String], among known: [String]) throws(PlanningError) {
    for name in names where !known.contains(name) {
      let near = NearestNames.of(name, among: known)
      throw .unknown(noun: "repository", text: name, nearest: near.isEmpty ? Array(known.sorted().prefix(20)) : near)
    }
  }

  /// Whether everything of the repositories is meant, so that whatever cannot be read in them is missed.
  static func takesAll(_ request: PlanRequest) -> Bool { request.machines.isEmpty }

  /// `unread`: why repositories cannot be read whose device types nobody knows; a name that is not found may be one of theirs.
  func select(unread: [PlanningError] = []) throws(PlanningError) -> Selected {
    var selected = Selected()
    var slugs: Set<Slug> = []
    if Self.takesAll(request) {
      guard request.all || !request.architectures.isEmpty || !request.repositories.isEmpty else {
        throw .nothingSelected("nothing is selected: name device types with --machine, or use --all, --arch or --repository")
      }
      slugs = Set(definitions.keys)
      selected.brokenManifests = broken.map(\.manifest)
      selected.repositories = Set(broken.map(\.repository))
    } else {
      var unknown: [PlanningError] = []
      for text in request.machines {
        do throws(PlanningError) {
          if let slug = try find(text) {
            slugs.insert(slug)
          } else if let manifest = broken.first(where: { $0.manifest.file == text }) {
            selected.brokenManifests.append(manifest.manifest)
            selected.repositories.insert(manifest.repository)
          } else {
            throw self.unknown(text)
          }
        } catch {
          unknown.append(error)
        }
      }
      if let first = unknown.first {
        // Perhaps it is there, and only cannot be read.
        let reasons = (unknown + broken.map(\.manifest.error) + unread).map(\.description)
        if reasons.count == 1 { throw first }
        throw .notFound(reasons)
      }
    }
    try leaveOut(&slugs)
    if !request.architectures.isEmpty {
      slugs = slugs.filter { definitions[$0]?.contains { request.architectures.contains($0.deviceType.arch) } ?? false }
    }
    for slug in slugs.sorted() {
      let found = definitions[slug] ?? []
      selected.deviceTypes.append((slug, found))
      selected.repositories.formUnion(found.map(\.repository))
    }
    guard !selected.deviceTypes.isEmpty || !selected.brokenManifests.isEmpty || !unread.isEmpty else { throw nothing() }
    if !Self.takesAll(request) {
      selected.otherBrokenManifests = broken.filter { item in
        selected.repositories.contains(item.repository) && !selected.brokenManifests.contains(item.manifest)
      }.map(\.manifest)
    }
    return selected
  }

  private var broken: [(manifest: BrokenManifest, repository: Int)] {
    allowed.sorted().flatMap { index in listings[index].brokenManifests.filter { !request.skipped.contains($0.file) }.map { ($0, index) } }
  }

  /// Takes the device types of `--skip` away.
  private func leaveOut(_ slugs: inout Set<Slug>) throws(PlanningError) {
    for text in request.skipped {
      if let slug = try find(text) {
        slugs.remove(slug)
      } else if !allowed.contains(where: { listings[$0].brokenManifests.contains { $0.file == text } }) {
        throw unknown(text)
      }
    }
  }

  private func nothing() -> PlanningError {
    guard !request.architectures.isEmpty else { return .nothingSelected("nothing is left of what is selected: --skip takes all of it away") }
    let wanted = request.architectures.map(\.rawValue).joined(separator: ", ")
    let known = Set(definitions.values.joined().map(\.deviceType.arch.rawValue)).sorted().joined(separator: ", ")
    return .nothingSelected("none of the selected device types is of architecture \(wanted); there are \(known)")
  }

  /// The slug that a name stands for; nil where nothing has the name. A device type may have different other names in different repositories.
  private func find(_ text: String) throws(PlanningError) -> Slug? {
    let names = definitions.flatMap { slug, definitions in definitions.map { (slug, DeviceTypeNames($0.deviceType)) } }
    do throws(DeviceTypeNames.Ambiguous) { return try DeviceTypeNames.find(text, among: names) } catch {
      throw .ambiguous(text: text, candidates: error.candidates)
    }
  }

  private func unknown(_ text: String) -> PlanningError {
    let all = definitions.values.joined().map { DeviceTypeNames($0.deviceType) }
    return .unknown(noun: "device type", text: text, nearest: DeviceTypeNames.nearest(to: text, among: all))
  }
}
