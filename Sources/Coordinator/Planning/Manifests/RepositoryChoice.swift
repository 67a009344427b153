import BuildModel

/// Which of several repositories builds a device type that all of them define: the one that farm.yaml prefers, else the one with the newest version,
/// among equals the first one. Pure.
struct RepositoryChoice {
  /// nil where nobody can choose.
  let reading: RepositoryReading?
  /// As the chosen repository defines it, else the first one.
  let deviceType: DeviceType
  /// What a person is to know of the choice; nil where there was none.
  let notice: String?
  /// The repositories' names.
  let names: String
  /// Why nobody can choose; empty where there is a choice.
  private(set) var problem = ""

  /// `definitions` must not be empty.
  init(_ slug: Slug, _ definitions: [(reading: RepositoryReading, deviceType: DeviceType)]) {
    names = definitions.map(\.reading.listing.name).joined(separator: ", ")
    let first = definitions[0]
    guard definitions.count > 1 else {
      (reading, deviceType, notice) = (first.reading, first.deviceType, nil)
      return
    }
    func place(_ reading: RepositoryReading) -> String { reading.listing.name + (reading.version.map { " (\($0))" } ?? "") }
    func word(on chosen: RepositoryReading, _ reason: String) -> String {
      "device type \(slug) is defined in \(definitions.map { place($0.reading) }.joined(separator: " and in ")); \(chosen.listing.name) is used: \(reason)"
    }
    if let preferred = definitions.first(where: { $0.reading.listing.isPreferred }) {
      (reading, deviceType) = (preferred.reading, preferred.deviceType)
      notice = word(on: preferred.reading, "the configuration prefers it")
      return
    }
    var newest = (version: first.reading.version, definition: first)
    var isDecidable = newest.version != nil
    var isTie = true
    for definition in definitions.dropFirst() {
      guard let version = definition.reading.version, let old = newest.version else {
        isDecidable = false
        continue
      }
      if old < version { newest = (version, definition) }
      if old < version || version < old { isTie = false }
    }
    guard isDecidable else {
      (reading, deviceType, notice) = (nil, first.deviceType, nil)
      let errors = definitions.compactMap { definition in
        if case .unusable(let repository) = definition.reading { repository.error.description } else { nil }
      }
      problem = "all of them define \(slug), and the versions of some are not known: \(errors.joined(separator: "; "))"
      return
    }
    (reading, deviceType) = (newest.definition.reading, newest.definition.deviceType)
    notice = word(
      on: newest.definition.reading,
      (isTie ? "it is listed first" : "its version is newer") + " ('preferred: true' in farm.yaml chooses another one)")
  }
}
