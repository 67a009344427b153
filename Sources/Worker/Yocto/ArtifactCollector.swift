import BlobStore
import BuildModel
import FoundationEssentials
import Glibc

/// Takes what a build made into the blob store.
package struct ArtifactCollector: Sendable {
  let tree: BuildTree
  private let machine: Machine
  let store: BlobStore
  private let epoch: Int64
  /// Absolute paths of files before which the run began; nil for files that the build need not have made itself.
  private let fresh: FreshnessMark

  package init(tree: BuildTree, machine: Machine, store: BlobStore, epoch: Int64, fresh: FreshnessMark) {
    self.tree = tree
    self.machine = machine
    self.store = store
    self.epoch = epoch
    self.fresh = fresh
  }

  /// Checks that a required item is there and was made by this run; nil for an optional one that is not there.
  package func locate(_ item: ArtifactLayout.Item) throws -> String? {
    let place = item.source.place
    let relative = place.path(machine: machine)
    guard let path = try tree.locate(relative) else {
      guard item.isRequired else { return nil }
      let directory = relative.lastIndex(of: "/").map { String(relative[..<$0]) } ?? "."
      throw YoctoError.missing(path: relative, present: tree.names(in: directory))
    }
    if case .images = place, !fresh.isOlder(than: path) { throw YoctoError.stale(path: relative) }
    return path
  }

  /// Takes one item in; nil for an optional one that is not there.
  package func collect(_ item: ArtifactLayout.Item) throws -> Artifact? {
    guard let path = try locate(item) else { return nil }
    let blob: BlobDescriptor
    switch item.source {
    case .file:
      guard Self.isFile(path) else { throw YoctoError.notAFile(path: path) }
      blob = try store.put(file: path)
    case .zippedFile(_, let name):
      blob = try ArchiveOutput.write([.init(name: name, kind: .file(path: path))], as: .zip, name: item.path.text, epoch: epoch, to: store)
    case .zippedDirectory:
      blob = try ArchiveOutput.write(try members(of: path, prefix: nil), as: .zip, name: item.path.text, epoch: epoch, to: store)
    case .tar(_, let prefix):
      blob = try ArchiveOutput.write(
        try members(of: path, prefix: prefix), as: .gzippedTar, name: item.path.text, epoch: epoch, to: store)
    }
    return Artifact(path: item.path, digest: blob.digest, size: blob.size, role: item.role)
  }

  /// Takes in the packages and indexes of the feed's directories as `ipk/<architecture>/…`.
  package func collectFeed(root: String, architectures: [String]) throws -> [Artifact] {
    var artifacts: [Artifact] = []
    for architecture in architectures {
      let directory = "\(root)/\(architecture)"
      for name in try BuildTree.list(directory) where name.hasSuffix(".ipk") || name == "Packages" || name == "Packages.gz" {
        guard let path = RelativePath("ipk/\(architecture)/\(name)"), Self.isFile("\(directory)/\(name)") else {
          throw YoctoError.notAFile(path: "\(directory)/\(name)")
        }
        let blob = try store.put(file: "\(directory)/\(name)")
        artifacts.append(Artifact(path: path, digest: blob.digest, size: blob.size, role: .feed))
      }
    }
    return artifacts
  }

  /// What is below a directory, by name. Relative links that stay inside are kept; others (some are absolute paths of a build
  /// container) are dropped. With no prefix (a zip) only files count, links followed.
  private func members(of directory: String, prefix: String?) throws -> [ArchiveOutput.Member] {
    var members: [ArchiveOutput.Member] = prefix.map { [.init(name: $0, kind: .directory)] } ?? []
    func visit(_ path: String, name: String) throws {
      for entry in try BuildTree.list(path) {
        let place = "\(path)/\(entry)"
        let inner = name.isEmpty ? entry : "\(name)/\(entry)"
        guard RelativePath(inner) != nil else { continue }
        var status = stat()
        guard lstat(place, &status) == 0 else { throw YoctoError.system(operation: "stat", path: place, errno: errno) }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
          if prefix != nil { members.append(.init(name: inner, kind: .directory)) }
          try visit(place, name: inner)
        case S_IFREG: members.append(.init(name: inner, kind: .file(path: place)))
        case S_IFLNK:
          let target = readLink(place)
          if prefix == nil {
            let relative = String(place.dropFirst(tree.path.count + 1))
            if let file = try tree.locate(relative), Self.isFile(file) { members.append(.init(name: inner, kind: .file(path: file))) }
          } else if let target, Self.staysInside(target, from: inner) {
            members.append(.init(name: inner, kind: .link(target: target)))
          }
        default: continue
        }
      }
    }
    try visit(directory, name: prefix ?? "")
    return members
  }

  /// Whether a link's text, read at `name`, stays below the first component of `name`.
  static func staysInside(_ target: String, from name: String) -> Bool {
    guard !target.isEmpty, !target.hasPrefix("/") else { return false }
    var depth = name.split(separator: "/").count - 1
    for component in target.split(separator: "/") where component != "." {
      depth += component == ".." ? -1 : 1
      if depth < 1 { return false }
    }
    return true
  }

  private func readLink(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4097)
    let count = readlink(path, &buffer, 4096)
    return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
  }

  private static func isFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}

extension ArtifactLayout.Source {
  /// Where it is taken from.
  package var place: ArtifactLayout.Place {
    switch self {
    case .file(let place), .zippedFile(let place, _), .zippedDirectory(let place), .tar(let place, _): place
    }
  }
}
