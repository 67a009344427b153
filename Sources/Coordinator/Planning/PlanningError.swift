import BuildModel

/// Why a request cannot be planned. Every case names the thing and, where a name is wrong, what was available.
package enum PlanningError: BlamedError, Hashable {
  /// A file that cannot be read or does not parse; `line` from 1.
  case unreadable(file: String, line: Int?, reason: String)
  /// A device repository in a state that cannot be built.
  case repository(name: String, reason: String, hint: String)
  /// git failed; `reason` is its own, on one line.
  case git(repository: String, operation: String, reason: String, blame: Blame)
  case unknown(noun: String, text: String, nearest: [String])
  /// Names that nothing has, with what cannot be read and may have them.
  case notFound([String])
  /// A block that neither the repositories nor the cloud know.
  case unreleased(block: String, nearest: [String])
  case ambiguous(text: String, candidates: [String])
  case duplicateContract(slug: String, first: String, second: String)
  /// A block that a contract and a composition's service both define.
  case duplicateBlock(name: String, contract: String, composition: String)
  /// A composition that breaks a rule; `service` is nil where the file as a whole is meant.
  case composition(file: String, line: Int?, service: String?, rule: CompositionRule, reason: String)
  /// A block that was asked for and fits none of the selected device types.
  case blockFitsNone(block: String, reasons: [String])
  case nothingSelected(String)
  /// A submodule that cannot be built at the commit that was asked for.
  case submodule(String)
  /// Nothing of what was selected can be planned: every reason.
  case nothingLeft([String])
  /// A worker asks for commits of a repository that no task has.
  case unplannedSource(mirror: Digest)

  package var blame: Blame {
    switch self {
    case .unreadable, .repository, .duplicateContract, .duplicateBlock, .composition, .nothingLeft: .repository
    case .git(_, _, _, let blame): blame
    case .unknown, .notFound, .unreleased, .ambiguous, .blockFitsNone, .nothingSelected, .submodule: .request
    case .unplannedSource: .host
    }
  }

  package var description: String {
    switch self {
    case .unreadable(let file, let line, let reason): Self.onOneLine("\(file)\(line.map { ":\($0)" } ?? ""): \(reason)")
    case .git(let name, let operation, let reason, _): "repository \(name): git \(operation): \(reason)"
    case .nothingLeft(let reasons), .notFound(let reasons): reasons.joined(separator: "\n")
    case .repository(let name, let reason, let hint): "repository \(name): \(reason)\(hint.isEmpty ? "" : "; \(hint)")"
    case .unknown(let noun, let text, let nearest):
      "unknown \(noun) '\(text)'" + (nearest.isEmpty ? "" : "; known: \(nearest.joined(separator: ", "))")
    case .unreleased(let block, let nearest):
      "\(PlanningError.unknown(noun: "block", text: block, nearest: nearest)); and the cloud has no release of it at the version of these device types"
    case .ambiguous(let text, let candidates):
      "'\(text)' stands for several device types: \(candidates.joined(separator: ", ")); name one of them"
    case .duplicateContract(let slug, let first, let second): "two block contracts with the slug or alias '\(slug)': \(first) and \(second)"
    case .duplicateBlock(let name, let contract, let composition):
      "block '\(name)' is defined by the contract \(contract) and by a service of \(composition): rename one of them"
    case .composition(let file, let line, let service, let rule, let reason):
      Self.onOneLine("\(file)\(line.map { ":\($0)" } ?? ""): \(service.map { "service '\($0.prefix(160))': " } ?? "")\(reason) [\(rule.rawValue)]")
    case .blockFitsNone(let block, let reasons):
      "block '\(block)' fits none of the selected device types:" + reasons.map { "\n  \($0)" }.joined()
    case .nothingSelected(let reason), .submodule(let reason): reason
    case .unplannedSource(let mirror): "the worker asks for a source repository that is not part of the plan: \(mirror)"
    }
  }

  /// Texts of foreign files do not break lines or colour terminals.
  private static func onOneLine(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || (127..<160).contains($0.value) ? "?" : $0 }))
  }
}
