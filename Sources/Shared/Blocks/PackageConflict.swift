import BuildModel
import Feed

/// Two packages of one block of which the first one's `Conflicts` means the second.
package struct PackageConflict: Hashable, Sendable, CustomStringConvertible {
  package struct Party: Hashable, Sendable, CustomStringConvertible {
    package var name: PackageName
    package var version: OpkgVersion
    package var description: String { "\(name) \(version)" }

    init(_ stanza: PackageStanza) {
      name = stanza.name
      version = stanza.version
    }
  }
  package var first: Party
  package var relation: PackageRelation
  package var second: Party

  package var description: String {
    "\(first) conflicts with '\(relation)', which \(relation.name == second.name.text ? "is" : "is provided by") \(second)"
  }

  /// All conflicts among packages that are to be installed together, in their order. A package never conflicts with what it provides itself.
  static func all(among stanzas: [PackageStanza]) -> [PackageConflict] {
    var offers: [String: [(place: Int, offer: PackageRelation)]] = [:]
    for (place, stanza) in stanzas.enumerated() { for offer in stanza.offers { offers[offer.name, default: []].append((place, offer)) } }
    var found: [PackageConflict] = []
    for (place, stanza) in stanzas.enumerated() {
      for relation in stanza.conflicts {
        let others = Set((offers[relation.name] ?? []).filter { $0.place != place && relation.isMet(by: $0.offer) }.map(\.place))
        found += others.sorted().map { PackageConflict(first: Party(stanza), relation: relation, second: Party(stanzas[$0])) }
      }
    }
    return found
  }
}
