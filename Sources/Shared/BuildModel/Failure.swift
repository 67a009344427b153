/// Why an attempt did not build. The kind decides about retry; whose fault it is, ``blame`` says.
package struct Failure: Codable, Hashable, Sendable, Error, CustomStringConvertible {
  package enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    /// The repository: a recipe failed, a package is missing. Trying again gives the same.
    case build
    /// Something could not be fetched. Whether the repository names what is nowhere, or the host cannot reach it, shows only on another host: it is
    /// tried there once. Fails it there, too, the repository is to blame; succeeds it, the first host is.
    case fetch
    /// The host: its disk, memory, programs, locale or network. Another host may do it.
    case infrastructure
    /// The coordinator: its disk is full, its state unusable. No other host helps.
    case coordinator
    /// A server that is not ours refused or failed. No other host helps.
    case cloud
    /// The request, or what the repository says about itself, is wrong: it was refused before anything was built. Or what a host delivered is not
    /// what it was asked for.
    case rejected
    case timedOut = "timed-out"
    case cancelled
    /// The runner ended without an outcome (host rebooted, killed for memory).
    case lost
  }
  package var kind: Kind
  package var step: Step?
  /// One sentence that names the recipe, package or file.
  package var reason: String
  /// At most 50 lines: the last console lines, or what was available.
  package var details: [String]
  /// Whose fault it is, where the kind stands for several.
  private var party: Blame?

  /// `blame`: where it is another's than the kind stands for.
  package init(kind: Kind, step: Step?, reason: String, details: [String] = [], blame: Blame? = nil) {
    self.kind = kind
    self.step = step
    self.reason = reason
    self.details = Array(details.suffix(50))
    party = blame == kind.blame ? nil : blame
  }

  private enum CodingKeys: String, CodingKey {
    case kind, step, reason, details
    case party = "blame"
  }

  package var blame: Blame { party ?? kind.blame }
  package var description: String { reason }
}

extension Failure.Kind {
  /// Whose fault such a failure is where nothing else is known.
  var blame: Blame {
    switch self {
    case .build, .fetch, .timedOut: .repository
    case .infrastructure, .lost: .host
    case .coordinator: .coordinator
    case .cloud: .cloud
    case .rejected, .cancelled: .request
    }
  }
}
