import BuildModel

/// Why a request cannot be planned. Every case names the thing and, where a name is wrong, what was available.
package enum PlanningError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A file that cannot be read or does not parse; `line` from 1.
  case unreadable(file: String, line: Int?, reason: String)
  /// A device repository in a state that cannot be built.
  case repository(name: String, reason: String, hint: String)
  case unknown(noun: String, text: String, nearest: [String])
  case ambiguous(text: String, candidates: [String])
  case duplicateContract(slug: String, first: String, second: String)
  /// A block that was asked for and fits none of the selected device types.
  case blockFitsNone(block: String, reasons: [String])
  case nothingSelected(String)

  package var description: String {
    switch self {
    case .unreadable(let file, let line, let reason): "\(file)\(line.map { ":\($0)" } ?? ""): \(reason)"
    case .repository(let name, let reason, let hint): "repository \(name): \(reason)\(hint.isEmpty ? "" : "; \(hint)")"
    case .unknown(let noun, let text, let nearest):
      "unknown \(noun) '\(text)'" + (nearest.isEmpty ? "" : "; known: \(nearest.joined(separator: ", "))")
    case .ambiguous(let text, let candidates):
      "'\(text)' stands for several device types: \(candidates.joined(separator: ", ")); name one of them"
    case .duplicateContract(let slug, let first, let second): "two block contracts with the slug or alias '\(slug)': \(first) and \(second)"
    case .blockFitsNone(let block, let reasons):
      "block '\(block)' fits none of the selected device types:" + reasons.map { "\n  \($0)" }.joined()
    case .nothingSelected(let reason): reason
    }
  }
}
