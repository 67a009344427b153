/// Whether a requirement of a contract holds for a device type, and why: a tree of the requirement's own shape.
package struct RequirementVerdict: Codable, Hashable, Sendable {
  package enum Form: String, Codable, Hashable, Sendable {
    case atom
    case all = "all-of"
    case any = "any-of"
    case none = "none-of"
  }
  package enum Result: String, Codable, Hashable, Sendable {
    case met
    case unmet
    /// It cannot be decided, so it never allows: neither as it stands nor as an exclusion.
    case unreadable
  }
  /// What an atom is about.
  package enum Kind: String, Codable, Hashable, Sendable {
    case deviceType = "device-type"
    case osVersion = "os-version"
    case yocto
    case architecture = "arch"
    case packageList = "package-list"
    case unknown = "unknown-requirement"
  }

  package var form: Form
  package var result: Result
  /// nil unless it is an atom.
  package var kind: Kind?
  /// An atom's demand, for example `device type acme-pc`; empty otherwise.
  package var demand: String
  /// What an atom was held against, for example `this is acme-board64`; empty otherwise.
  package var found: String
  package var parts: [RequirementVerdict]

  static func atom(_ kind: Kind, _ result: Result, _ demand: String, _ found: String, parts: [RequirementVerdict] = []) -> Self {
    Self(form: .atom, result: result, kind: kind, demand: demand, found: found, parts: parts)
  }

  /// Combines parts; `all-of` inside `all-of` is taken apart, and one part alone needs no group.
  static func group(_ form: Form, _ parts: [RequirementVerdict]) -> Self {
    let parts = form == .all ? parts.flatMap { $0.form == .all ? $0.parts : [$0] } : parts
    if parts.count == 1, form != .none { return parts[0] }
    let results = Set(parts.map(\.result))
    let result: Result =
      switch form {
      case .all, .atom: results.contains(.unmet) ? .unmet : results.contains(.unreadable) ? .unreadable : .met
      case .any: results.contains(.met) || parts.isEmpty ? .met : results.contains(.unreadable) ? .unreadable : .unmet
      case .none: results.contains(.met) ? .unmet : results.contains(.unreadable) ? .unreadable : .met
      }
    return Self(form: form, result: result, kind: nil, demand: "", found: "", parts: parts)
  }
}

/// One reason for which a block does not fit.
package struct MisfitReason: Hashable, Sendable, CustomStringConvertible {
  package var kind: RequirementVerdict.Kind
  package var text: String
  package var description: String { text }
}

extension RequirementVerdict {
  /// Every reason for which it does not hold; none if it does.
  package var reasons: [MisfitReason] {
    guard result != .met else { return [] }
    switch form {
    case .atom: return parts.isEmpty ? [reason("needs \(demand), \(found)")] : parts.flatMap(\.reasons)
    case .all: return parts.flatMap(\.reasons)
    case .any: return [alternatives]
    case .none:
      return parts.flatMap { (part) -> [MisfitReason] in
        switch part.result {
        case .met: [part.reason("excludes \(part.words)")]
        case .unreadable: part.reasons
        case .unmet: []
        }
      }
    }
  }

  /// A contract may list dozens of device types: they are named once.
  private var alternatives: MisfitReason {
    let kinds = Set(parts.map(\.firstKind))
    let isFlat = parts.allSatisfy { $0.form == .atom && $0.parts.isEmpty }
    let found = Set(parts.map(\.found))
    guard isFlat, kinds.count == 1, found.count == 1, let first = parts.first else {
      let text = "none of its alternatives holds: " + parts.flatMap(\.reasons).map(\.text).joined(separator: ", ")
      return MisfitReason(kind: kinds.count == 1 ? firstKind : .deviceType, text: text)
    }
    // "device type a or b", "Yocto a or b"
    let common = Self.commonWords(parts.map(\.demand))
    let names = parts.map { $0.demand.dropFirst(common.count) }.joined(separator: " or ")
    return first.reason("needs \(common)\(names), \(first.found)")
  }

  private static func commonWords(_ texts: [String]) -> String {
    for kind in ["device type ", "architecture ", "Yocto ", "balenaOS "] where texts.allSatisfy({ $0.hasPrefix(kind) }) { return kind }
    return ""
  }

  private func reason(_ text: String) -> MisfitReason { MisfitReason(kind: firstKind, text: text) }

  private var firstKind: Kind { kind ?? parts.first?.firstKind ?? .unknown }

  /// The demand and what was found, in one line.
  private var words: String {
    switch form {
    case .atom: "\(demand), \(found)"
    case .all: "all of (\(parts.map(\.words).joined(separator: "; ")))"
    case .any: "one of (\(parts.map(\.words).joined(separator: "; ")))"
    case .none: "none of (\(parts.map(\.words).joined(separator: "; ")))"
    }
  }

  /// The tree for people: `yes`, `no` or `?`, then the demand and what was found; parts are indented.
  package func lines(indent: Int = 0) -> [String] {
    let mark =
      switch result {
      case .met: "yes"
      case .unmet: "no "
      case .unreadable: "?  "
      }
    let head =
      switch form {
      case .atom: "\(demand) (\(found))"
      case .all: "all of"
      case .any: "one of"
      case .none: "none of"
      }
    return [String(repeating: " ", count: indent) + "\(mark)  \(head)"] + parts.flatMap { $0.lines(indent: indent + 5) }
  }
}
