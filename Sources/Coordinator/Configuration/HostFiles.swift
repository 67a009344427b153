import BuildModel
import Glibc

/// The worker hosts of `workers.d`. A file that cannot be read costs its own host alone.
package struct HostFiles: Hashable, Sendable {
  /// By name.
  package private(set) var hosts: [HostConfiguration] = []
  /// One for each file whose host is left out, in the order of the files.
  package private(set) var problems: [ConfigurationError] = []

  /// None at all.
  init() {}

  /// Reads all hosts of a directory; there are none where it does not exist. A file whose name says YAML in another way than `.yaml` is a problem: it
  /// would be passed over, and its host with it.
  package init(in directory: String, home: String) {
    let names: [String]
    do throws(ConfigurationError) { names = try Self.names(in: directory) } catch {
      problems = [error]
      return
    }
    for name in names.sorted() where !name.hasPrefix(".") {
      let path = directory + "/" + name
      do throws(ConfigurationError) {
        if name.hasSuffix(".yaml") {
          try add(HostConfiguration.read(path, home: home), file: path)
        } else if [".yml", ".yaml"].contains(where: name.lowercased().hasSuffix) {
          throw ConfigurationError(file: path, reason: "must end in '.yaml'; under this name the host is not read")
        }
      } catch {
        problems.append(error)
      }
    }
    hosts.sort { $0.name < $1.name }
  }

  private mutating func add(_ host: HostConfiguration, file: String) throws(ConfigurationError) {
    guard !hosts.contains(where: { $0.name == host.name }) else {
      throw ConfigurationError(file: file, reason: "host '\(host.name)' is defined in another file too")
    }
    hosts.append(host)
  }

  private static func names(in directory: String) throws(ConfigurationError) -> [String] {
    guard let handle = opendir(directory) else {
      if errno == ENOENT { return [] }
      throw ConfigurationError(file: directory, reason: "cannot be listed: \(String(cString: strerror(errno)))")
    }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } })
    }
    return names
  }
}
