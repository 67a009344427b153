import BuildModel
import Glibc

extension ArtifactCollector {
  /// Most files that one service's globs may name.
  private static let assetLimit = 20_000

  /// Takes in what globs below `build/tmp/deploy/` name, as `service/<block>/…`. `*`, `?` and `[…]` match within one component (also leading dots, as
  /// the release workflow does), `**` any number of directories; a directory stands for all files in it. One glob may match nothing, all together
  /// may not. Links that lead nowhere (some name paths of a build container) are left out.
  package func collectAssets(_ globs: [String], of block: BlockName) throws -> [Artifact] {
    if globs.isEmpty { return [] }
    let base = "build/tmp/deploy"
    var files: Set<String> = []
    for glob in globs {
      guard RelativePath(glob) != nil else { throw YoctoError.escapes(path: glob, target: "what is no path below \(base)") }
      try match(glob.split(separator: "/").map(String.init)[...], in: "", base: base, into: &files)
    }
    guard !files.isEmpty else { throw YoctoError.missing(path: "\(base)/{\(globs.joined(separator: ","))}", present: tree.names(in: base)) }
    return try files.sorted().map { file in
      guard let place = try tree.locate("\(base)/\(file)"), let path = RelativePath("service/\(block)/\(file)") else {
        throw YoctoError.notAFile(path: "\(base)/\(file)")
      }
      let blob = try store.put(file: place)
      return Artifact(path: path, digest: blob.digest, size: blob.size, role: .file)
    }
  }

  private func match(_ pattern: ArraySlice<String>, in directory: String, base: String, into files: inout Set<String>) throws {
    guard let first = pattern.first else {
      try addAll(in: directory, base: base, into: &files)
      return
    }
    let rest = pattern.dropFirst()
    if first == "**" {
      try match(rest, in: directory, base: base, into: &files)
      if rest.isEmpty { return }
    }
    guard let place = try tree.locate(directory.isEmpty ? base : "\(base)/\(directory)"), kind(of: place) == S_IFDIR else { return }
    for name in try BuildTree.list(place) {
      let inner = directory.isEmpty ? name : "\(directory)/\(name)"
      if first == "**" {
        // Only real directories, so that links cannot lead in a circle.
        if kind(of: "\(place)/\(name)", following: false) == S_IFDIR { try match(pattern, in: inner, base: base, into: &files) }
        continue
      }
      guard fnmatch(first, name, 0) == 0 else { continue }
      if rest.isEmpty { try add(inner, base: base, into: &files) } else { try match(rest, in: inner, base: base, into: &files) }
    }
  }

  private func add(_ path: String, base: String, into files: inout Set<String>) throws {
    guard let place = try tree.locate("\(base)/\(path)") else { return }
    switch kind(of: place) {
    case S_IFREG:
      files.insert(path)
      guard files.count <= Self.assetLimit else { throw YoctoError.archive(path: path, reason: "the globs name more than \(Self.assetLimit) files") }
    case S_IFDIR where kind(of: "\(tree.path)/\(base)/\(path)", following: false) == S_IFDIR: try addAll(in: path, base: base, into: &files)
    default: return
    }
  }

  private func addAll(in directory: String, base: String, into files: inout Set<String>) throws {
    guard let place = try tree.locate(directory.isEmpty ? base : "\(base)/\(directory)"), kind(of: place) == S_IFDIR else { return }
    for name in try BuildTree.list(place) { try add(directory.isEmpty ? name : "\(directory)/\(name)", base: base, into: &files) }
  }

  private func kind(of path: String, following: Bool = true) -> mode_t? {
    var status = Glibc.stat()
    guard (following ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
    return status.st_mode & S_IFMT
  }
}
