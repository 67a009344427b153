/// What kept the programs of a repository from the rest of the host while a result was made.
package enum Isolation: String, Codable, Hashable, Sendable, CaseIterable {
  /// The sandbox: its own mounts and processes; of the host's files only system directories, read-only, and what the attempt needs.
  case bubblewrap
  /// A container of a builder without root's rights (buildah).
  case container
  /// The programs could reach docker, which has root's rights on the host.
  case docker
  /// The programs had all that the worker's account has.
  case unconfined = "none"

  /// What a host's file, or `--isolation`, can choose.
  package static let choices = "bubblewrap (the default), none"

  /// Whether such a choice is to have none; nil where a text is none of the choices.
  package static func isUnconfined(_ choice: String) -> Bool? {
    switch Isolation(rawValue: choice) {
    case .bubblewrap: false
    case .unconfined: true
    default: nil
    }
  }

  /// From the strongest to the weakest.
  private var weakness: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }

  /// The one that holds for a result that was made under all of these; nil for none.
  package static func weakest(_ all: some Sequence<Isolation>) -> Isolation? { all.max { $0.weakness < $1.weakness } }
}
