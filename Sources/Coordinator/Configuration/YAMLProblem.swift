import Yams

/// Why a text is not YAML, in words for people.
package struct YAMLProblem: Hashable, Sendable {
  /// The first line is 1; nil where the parser names none.
  package let line: Int?
  package let reason: String

  package init(_ error: YamlError) {
    line =
      switch error {
      case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
      case .duplicatedKeysInMapping(_, let context): context.mark.line
      default: nil
      }
    reason =
      switch error {
      // libyaml's scanner says this of a tab where it looks for indentation, and of '@' and '`', which YAML reserves.
      case .scanner(_, "found character that cannot start any token", _, _):
        "a tab at the beginning of the line (indent with blanks), or a text that begins with '@', '`' or '%' (put it in quotes)"
      case .composer(_, "found undefined alias", _, _): "an alias of an anchor that does not exist, or that the alias itself lies in (a loop)"
      case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _): problem
      case .reader(let problem, _, _, _): problem
      case .duplicatedKeysInMapping(let duplicates, _):
        "key given twice: \(duplicates.map { "\("\($0)".prefix(80))" }.joined(separator: ", "))"
      default: "\(error)"
      }
  }
}
