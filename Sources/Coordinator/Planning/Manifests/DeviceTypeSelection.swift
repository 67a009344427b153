import BuildModel

/// Finds the device types that a request means.
struct DeviceTypeSelection {
  struct Candidate {
    var deviceType: DeviceType
    var repository: DeviceRepository
  }

  /// In the order of repositories and files; a slug that two repositories define counts once, for the first one.
  var candidates: [Candidate] = []
  var notices: [String] = []
  let request: PlanRequest

  /// Takes the repositories that the request allows; of two that define a slug only one may be named, so the choice is the user's.
  init(_ all: [DeviceRepository], for request: PlanRequest) throws(PlanningError) {
    self.request = request
    let known = all.map(\.source.name)
    for name in request.repositories where !known.contains(name) {
      let near = NearestNames.of(name, among: known)
      throw .unknown(noun: "repository", text: name, nearest: near.isEmpty ? Array(known.sorted().prefix(20)) : near)
    }
    let repositories = request.repositories.isEmpty ? all : all.filter { request.repositories.contains($0.source.name) }
    var owners: [Slug: String] = [:]
    for repository in repositories {
      for deviceType in repository.deviceTypes {
        if let first = owners[deviceType.slug] {
          notices.append("device type \(deviceType.slug) is defined in \(first) and in \(repository.source.name); \(first) is used")
        } else {
          owners[deviceType.slug] = repository.source.name
          candidates.append(Candidate(deviceType: deviceType, repository: repository))
        }
      }
    }
  }

  func select() throws(PlanningError) -> [Candidate] {
    var chosen: [Candidate]
    if request.machines.isEmpty {
      guard request.all || !request.architectures.isEmpty || !request.repositories.isEmpty else {
        throw .nothingSelected("nothing is selected: name device types with --machine, or use --all, --arch or --repository")
      }
      chosen = candidates
    } else {
      chosen = []
      for text in request.machines {
        let found = try find(text)
        if !chosen.contains(where: { $0.deviceType.slug == found.deviceType.slug }) { chosen.append(found) }
      }
    }
    if !request.architectures.isEmpty { chosen = chosen.filter { request.architectures.contains($0.deviceType.arch) } }
    guard !chosen.isEmpty else {
      let wanted = request.architectures.map(\.rawValue).joined(separator: ", ")
      let known = Set(candidates.map(\.deviceType.arch.rawValue)).sorted().joined(separator: ", ")
      throw .nothingSelected("none of the selected device types is of architecture \(wanted); there are \(known)")
    }
    return chosen.sorted { $0.deviceType.slug < $1.deviceType.slug }
  }

  /// The slug wins, then a file name, then an alias, then a machine; the last three must be unambiguous.
  private func find(_ text: String) throws(PlanningError) -> Candidate {
    if let exact = candidates.first(where: { $0.deviceType.slug.text == text }) { return exact }
    let ways: [(DeviceType) -> Bool] = [
      { $0.file == text }, { $0.aliases.contains(text) }, { $0.yocto.machine.text == text },
    ]
    for matches in ways {
      let found = candidates.filter { matches($0.deviceType) }
      if found.count == 1 { return found[0] }
      if found.count > 1 { throw .ambiguous(text: text, candidates: found.map(\.deviceType.slug.text).sorted()) }
    }
    let names = candidates.flatMap { [$0.deviceType.slug.text, $0.deviceType.yocto.machine.text, $0.deviceType.file] }
    let near = NearestNames.of(text, among: names)
    throw .unknown(
      noun: "device type", text: text, nearest: near.isEmpty && candidates.count <= 20 ? candidates.map(\.deviceType.slug.text).sorted() : near)
  }
}
