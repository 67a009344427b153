import BuildModel
import FoundationEssentials
import Glibc

/// Reads a checkout from disk: manifests, contracts and what git knows. Synchronous; repositories may be read at the same time.
package enum RepositoryReader {
  package static func read(_ source: RepositorySource, allowDirty: Bool) throws(PlanningError) -> DeviceRepository {
    guard access(source.path + "/.git", F_OK) == 0 else {
      throw .repository(name: source.name, reason: "\(source.path) is no git checkout", hint: "'source' must name one")
    }
    let git = try GitState.read(source, allowDirty: allowDirty)
    let deviceTypes = try manifests(source.path)
    guard !deviceTypes.isEmpty else {
      throw .repository(name: source.name, reason: "no device type manifest (*.coffee or *.json) in \(source.path)", hint: "")
    }
    var contracts: [Contract] = []
    for root in source.contracts { try collect(source.path + "/" + root, depth: 0, into: &contracts) }
    return DeviceRepository(
      source: source, deviceTypes: deviceTypes, contracts: contracts, checkout: git.checkout, version: git.version,
      isRelease: git.isRelease, commitTime: git.commitTime, locations: git.locations)
  }

  /// One device type a manifest; `<file>.json` is preferred where both forms exist.
  static func manifests(_ directory: String) throws(PlanningError) -> [DeviceType] {
    let files = try names(directory)
    let coffee = files.filter { $0.hasSuffix(".coffee") }.map { String($0.dropLast(7)) }
    let json = files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
    var found: [DeviceType] = []
    for file in Set(coffee + json).sorted() {
      var fields: ManifestFields?
      var path = "\(directory)/\(file).json"
      if json.contains(file) { fields = try ManifestFields.json(try contents(path), path: path) }
      if fields == nil, coffee.contains(file) {
        path = "\(directory)/\(file).coffee"
        fields = try ManifestFields.coffee(try contents(path), path: path)
      }
      if let fields { found.append(try fields.deviceType(file: file, path: path)) }
    }
    return found
  }

  private static func collect(_ directory: String, depth: Int, into contracts: inout [Contract]) throws(PlanningError) {
    // A contracts tree is three levels deep; links are not followed, so this ends.
    guard depth < 12, isDirectory(directory) else { return }
    for name in try names(directory) where !name.hasPrefix(".") {
      let path = directory + "/" + name
      if name == "contract.json" {
        contracts.append(try Contract.parse(try contents(path), file: path))
      } else if isDirectory(path) {
        try collect(path, depth: depth + 1, into: &contracts)
      }
    }
  }

  static func names(_ directory: String) throws(PlanningError) -> [String] {
    guard let handle = opendir(directory) else {
      throw .unreadable(file: directory, line: nil, reason: String(cString: strerror(errno)))
    }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & 0o170000 == 0o040000
  }

  static func contents(_ path: String) throws(PlanningError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(file: path, line: nil, reason: String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    var result: [UInt8] = []
    while true {
      let count = Glibc.read(descriptor, &bytes, bytes.count)
      guard count >= 0 else { throw .unreadable(file: path, line: nil, reason: String(cString: strerror(errno))) }
      if count == 0 { return result }
      result += bytes[..<count]
      guard result.count <= 4 << 20 else { throw .unreadable(file: path, line: nil, reason: "is larger than 4 MiB") }
    }
  }
}
