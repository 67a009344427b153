import BuildModel
import Feed

extension PackageSelection {
  /// What is worth knowing and no failure: names that another package provides, and relations that nobody can read.
  package var notices: [String] {
    items.flatMap { item in
      let stanza = item.candidate.stanza
      let provided = item.listedAs.filter { $0 != item.name }.map { name in
        "'\(name)' is provided by \(stanza.name) \(stanza.version)"
          + (item.displaced.isEmpty ? "" : ", which replaces \(item.displaced.map(\.text).joined(separator: ", "))")
      }
      return provided + stanza.unreadableRelations.map { "package \(stanza.name): a part of its index is not used, because it cannot be read: \($0)" }
    }
  }
}
