import FoundationEssentials

/// Files that a configuration consists of, and paths in them.
package enum ConfigurationFile {
  static func text(_ path: String) throws(ConfigurationError) -> String {
    guard let data = try? Data(contentsOf: URL(filePath: path)) else { throw ConfigurationError(file: path, reason: "cannot be read") }
    guard data.count <= 4 << 20, let text = String(validating: data, as: UTF8.self) else {
      throw ConfigurationError(file: path, reason: "is not UTF-8 text of at most 4 MiB")
    }
    return text
  }

  static func parent(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
  }

  /// Makes a path absolute: `~/` is the home, everything else relative to `directory`.
  package static func absolute(_ path: String, in directory: String, home: String) -> String {
    if path == "~" { return home }
    if path.hasPrefix("~/") { return home + path.dropFirst(1) }
    if path.hasPrefix("/") { return path }
    var parts = directory.split(separator: "/").map(String.init)
    for component in path.split(separator: "/") {
      switch component {
      case ".": continue
      case "..": _ = parts.popLast()
      default: parts.append(String(component))
      }
    }
    return "/" + parts.joined(separator: "/")
  }
}
