import BuildModel

/// Media types of release assets, by the end of their key.
enum ContentType {
  static func of(_ key: RelativePath) -> String {
    let name = key.lastComponent
    for (ending, type) in table where name.hasSuffix(ending) { return type }
    return name.contains(".") ? "application/octet-stream" : "text/plain"
  }

  private static let table = [
    (".json", "application/json"), (".tar.gz", "application/gzip"), (".gz", "application/gzip"), (".zip", "application/zip"),
    (".md", "text/markdown"), (".manifest", "text/plain"), (".txt", "text/plain"), (".svg", "image/svg+xml"),
  ]
}
