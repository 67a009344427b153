extension TaskSpec {
  /// How the programs of a repository are kept from the rest of the host, where that is not the worker's default: the sandbox, with the worker's own files
  /// hidden.
  package struct Confinement: Codable, Hashable, Sendable {
    /// Whether builds may run without a sandbox, because the host's file or the command says so.
    package var isUnconfined: Bool
    /// Absolute paths that no build sees besides: the coordinator's own, where it builds on its machine.
    package var hidden: [String]

    package init(isUnconfined: Bool = false, hidden: [String] = []) {
      self.isUnconfined = isUnconfined
      self.hidden = hidden
    }

    /// Whether a text can be one of ``hidden``.
    package static func isPlace(_ path: String) -> Bool { path.hasPrefix("/") && path.utf8.count <= 1024 && !path.utf8.contains(0) }
  }

  /// Whether bitbake runs in the worker's sandbox. The container script has a container of its own.
  package var runsInSandbox: Bool {
    if case .balenaBuild = driver { false } else { needsBitbake && confinement?.isUnconfined != true }
  }
}
