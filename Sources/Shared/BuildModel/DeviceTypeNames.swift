/// The names by which people call a device type.
package struct DeviceTypeNames: Codable, Hashable, Sendable {
  package var slug: Slug
  package var machine: Machine
  /// The manifest's file name, without its suffix; nil where nobody knows it.
  package var file: String?
  package var aliases: [String]

  package init(slug: Slug, machine: Machine, file: String?, aliases: [String]) {
    self.slug = slug
    self.machine = machine
    self.file = file
    self.aliases = aliases
  }

  package init(_ deviceType: DeviceType) {
    self.init(slug: deviceType.slug, machine: deviceType.yocto.machine, file: deviceType.file, aliases: deviceType.aliases)
  }

  /// A name that several device types have; `candidates` are their slugs.
  package struct Ambiguous: Error, Hashable {
    package var candidates: [String]
  }

  /// The key of the device type that a name means: the slug wins, then a file name, then an alias, then a machine. The last three must mean one
  /// device type alone. nil where nothing has the name.
  package static func find<Key: Hashable>(_ text: String, among all: [(key: Key, names: DeviceTypeNames)]) throws(Ambiguous) -> Key? {
    let ways: [(DeviceTypeNames) -> Bool] = [
      { $0.slug.text == text }, { $0.file == text }, { $0.aliases.contains(text) }, { $0.machine.text == text },
    ]
    for matches in ways {
      let found = all.filter { matches($0.names) }
      guard let first = found.first else { continue }
      guard Set(found.map(\.key)).count == 1 else { throw Ambiguous(candidates: Set(found.map(\.names.slug.text)).sorted()) }
      return first.key
    }
    return nil
  }

  /// The names that may have been meant; where none is near, the slugs, if they are few.
  package static func nearest(to text: String, among all: [DeviceTypeNames]) -> [String] {
    let near = NearestNames.of(text, among: all.flatMap { [$0.slug.text, $0.machine.text] + ($0.file.map { [$0] } ?? []) + $0.aliases })
    let slugs = Set(all.map(\.slug.text))
    return near.isEmpty && slugs.count <= 20 ? slugs.sorted() : near
  }
}
