import BuildModel
import FoundationEssentials
import Glibc

/// `<output>/latest/<slug>`: one link for each device type, to its directory in the request that built its latest version.
///
/// The index of a request that links point to is read once, however many of them point there. All calls are synchronous.
package struct LatestLinks {
  private let output: String
  /// By request: the versions of its device types.
  private var versions: [String: [String: String]] = [:]

  /// What is needed of an index, so that nothing else of it is decoded.
  private struct Index: Decodable {
    struct DeviceType: Decodable {
      var slug: String
      var version: String
    }
    var deviceTypes: [DeviceType]
  }

  package init(output: String) { self.output = output }

  /// Points the device types' links to the request, but not those that already lead to a later version. `isEarlier(new, old)` compares versions.
  package mutating func move(
    _ reports: [DeviceTypeReport], to request: RequestID, isEarlier: (String, String) -> Bool
  ) throws {
    let directory = output + "/latest"
    try DeployTree.makeDirectory(directory)
    for report in reports {
      let link = "\(directory)/\(report.slug)"
      if let version = version(at: link, of: report.slug), isEarlier(report.version, version) { continue }
      var status = stat()
      if lstat(link, &status) == 0, status.st_mode & S_IFMT != S_IFLNK {
        throw ReportError(output: link, reason: "exists and is not a symbolic link; move it away")
      }
      let temporary = link + ".new"
      unlink(temporary)
      guard symlink("../\(request)/\(report.slug)", temporary) == 0 else {
        throw ReportError(operation: "symlink", path: temporary, errno: errno)
      }
      guard rename(temporary, link) == 0 else { throw ReportError(operation: "rename", path: link, errno: errno) }
    }
  }

  /// The version of the device type that the link leads to, as that request's index has it; nil when there is none.
  private mutating func version(at link: String, of slug: Slug) -> String? {
    // The link reads `../<request>/<slug>`.
    guard let old = try? FileManager.default.destinationOfSymbolicLink(atPath: link),
      let request = old.split(separator: "/").dropLast().last.map(String.init)
    else { return nil }
    let known = versions[request] ?? read(request)
    versions[request] = known
    return known[slug.text]
  }

  private func read(_ request: String) -> [String: String] {
    guard let data = try? Data(contentsOf: URL(filePath: "\(output)/\(request)/index.json")),
      let index = try? JSONDecoder().decode(Index.self, from: data)
    else { return [:] }
    return Dictionary(index.deviceTypes.map { ($0.slug, $0.version) }, uniquingKeysWith: { first, _ in first })
  }
}
