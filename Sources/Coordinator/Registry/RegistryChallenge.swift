import BuildModel
import HTTP

/// What a registry wants to see before it answers (WWW-Authenticate; RFC 9110 section 11.6.1, Distribution "Token Authentication").
enum RegistryChallenge: Hashable, Sendable {
  case basic
  case bearer(realm: String, service: String?, scopes: [RegistryScope])

  /// The challenges in the values of all WWW-Authenticate fields that are understood; the order is the server's.
  static func parse(_ values: [String]) -> [RegistryChallenge] { values.flatMap { parse($0) } }

  private static func parse(_ value: String) -> [RegistryChallenge] {
    var scanner = Scanner(Array(value.utf8.prefix(16 << 10)))
    var found: [(scheme: String, parameters: [String: String])] = []
    while let token = scanner.token() {
      if scanner.skip("="), !found.isEmpty {
        guard let text = scanner.value() else { break }
        found[found.count - 1].parameters[token.lowercased()] = text
      } else {
        found.append((token.lowercased(), [:]))
      }
      scanner.skipSeparators()
    }
    return found.compactMap { scheme, parameters in
      switch scheme {
      case "basic": .basic
      case "bearer":
        parameters["realm"].map {
          .bearer(
            realm: $0, service: parameters["service"],
            scopes: (parameters["scope"] ?? "").split(separator: " ").prefix(16).compactMap { RegistryScope(String($0)) })
        }
      default: nil
      }
    }
  }

  private struct Scanner {
    private let bytes: [UInt8]
    private var position = 0
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func token() -> String? {
      skipSeparators()
      let start = position
      while let byte = next, HTTPFields.isToken(byte) { position += 1 }
      return start == position ? nil : String(decoding: bytes[start..<position], as: UTF8.self)
    }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
      guard next == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    mutating func skipSeparators() { while let byte = next, byte == 32 || byte == 9 || byte == UInt8(ascii: ",") { position += 1 } }

    /// A token or a quoted string.
    mutating func value() -> String? {
      guard skip("\"") else { return token() }
      var text: [UInt8] = []
      while let byte = next {
        position += 1
        if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
        if byte == UInt8(ascii: "\\"), let escaped = next {
          text.append(escaped)
          position += 1
        } else {
          text.append(byte)
        }
      }
      return nil
    }
  }
}

/// What may be done with one repository.
package struct RegistryScope: Hashable, Sendable, CustomStringConvertible {
  package enum Action: String, Hashable, Sendable, Comparable {
    case pull, push
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }
  package var repository: RepositoryName
  package var actions: Set<Action>

  package init(_ repository: RepositoryName, _ actions: Set<Action>) {
    self.repository = repository
    self.actions = actions
  }

  /// `repository:<name>:<action>,…`; actions other than pull and push are left out, other kinds of scopes are nil.
  init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "repository", let repository = try? RepositoryName(String(parts[1])) else { return nil }
    self.repository = repository
    actions = Set(parts[2].split(separator: ",").compactMap { Action(rawValue: String($0)) })
  }

  package var description: String { "repository:\(repository):\(actions.sorted().map(\.rawValue).joined(separator: ","))" }

  /// One scope a repository, with the actions of all.
  static func merged(_ scopes: some Sequence<RegistryScope>) -> Set<RegistryScope> {
    let actions = Dictionary(scopes.map { ($0.repository, $0.actions) }, uniquingKeysWith: { $0.union($1) })
    return Set(actions.map { RegistryScope($0.key, $0.value) })
  }

  static func covers(_ granted: Set<RegistryScope>, _ wanted: Set<RegistryScope>) -> Bool {
    wanted.allSatisfy { want in granted.contains { $0.repository == want.repository && $0.actions.isSuperset(of: want.actions) } }
  }
}
