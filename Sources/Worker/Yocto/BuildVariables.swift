import BuildModel
import FoundationEssentials

/// The variables that `bitbake -e` prints, as far as the worker needs them. Feed it the console line by line.
package struct BuildVariables: Sendable {
  private static let wanted: Set<String> = ["PACKAGE_ARCHS", "PACKAGE_CLASSES"]
  private var values: [String: String] = [:]

  package init() {}

  /// Takes one line; only `NAME="value"` at its beginning counts, as `bitbake -e` prints it and, with blanks, a build's header.
  package mutating func read(_ line: String) {
    guard let equals = line.firstIndex(of: "="), line.count < 65536 else { return }
    let name = String(line[..<equals].prefix { $0 != " " })
    guard line[..<equals].dropFirst(name.count).allSatisfy({ $0 == " " }) else { return }
    let value = line[line.index(after: equals)...].drop { $0 == " " }
    guard Self.wanted.contains(name), value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") else { return }
    values[name] = String(value.dropFirst().dropLast())
  }

  /// PACKAGE_ARCHS, lowest preference first; empty when it was not printed. Of a name that is there twice the later place counts, as for opkg.
  package var packageArchitectures: [String] {
    var seen: Set<String> = []
    return (values["PACKAGE_ARCHS"] ?? "").split(separator: " ").map(String.init).reversed().filter {
      seen.insert($0).inserted && RelativePath($0) != nil && !$0.contains("/")
    }.reversed()
  }

  /// Whether the build makes ipk packages.
  package var makesIpk: Bool { values["PACKAGE_CLASSES"].map { $0.split(separator: " ").contains("package_ipk") } ?? true }
}
