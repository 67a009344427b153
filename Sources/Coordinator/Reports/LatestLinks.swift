import BuildModel
import FoundationEssentials
import Glibc

/// Links to device types' directories in the requests that built them, one for each: `<output>/latest/<slug>` leads to the latest version that was
/// built as its tag stands, with images; `<output>/latest-build/<slug>` to the last good build of whatever kind.
///
/// The index of a request that links point to is read once, however many of them point there. All calls are synchronous.
package struct LatestLinks {
  private let output: String
  /// By request: the versions of its device types.
  private var versions: [String: [String: OSVersion]] = [:]

  /// What is needed of an index, so that nothing else of it is decoded.
  private struct Index: Decodable {
    struct DeviceType: Decodable {
      var slug: String
      /// nil where the repository could not be read.
      var version: String?
    }
    var deviceTypes: [DeviceType]
  }

  package init(output: String) { self.output = output }

  /// Points the links of the device types that were built or reused to the request; `latest` not where it already leads to a later version.
  package mutating func move(_ reports: [DeviceTypeReport], to request: RequestID) throws {
    for report in reports where report.outcome == .built || report.outcome == .reused {
      try point("latest-build", of: report.slug, to: request)
      guard report.isRelease == true, !report.images.isEmpty, let new = report.version else { continue }
      if let version = version(at: "\(output)/latest/\(report.slug)", of: report.slug), new < version { continue }
      try point("latest", of: report.slug, to: request)
    }
  }

  private func point(_ name: String, of slug: Slug, to request: RequestID) throws {
    try DeployTree.makeDirectory("\(output)/\(name)")
    let link = "\(output)/\(name)/\(slug)"
    var status = stat()
    if lstat(link, &status) == 0, status.st_mode & S_IFMT != S_IFLNK {
      throw ReportError(output: link, reason: "exists and is not a symbolic link; move it away")
    }
    let temporary = link + ".new"
    unlink(temporary)
    guard symlink("../\(request)/\(slug)", temporary) == 0 else {
      throw ReportError(operation: "symlink", path: temporary, errno: errno)
    }
    guard rename(temporary, link) == 0 else { throw ReportError(operation: "rename", path: link, errno: errno) }
  }

  /// The version of the device type that the link leads to, as that request's index has it; nil when there is none.
  private mutating func version(at link: String, of slug: Slug) -> OSVersion? {
    // The link reads `../<request>/<slug>`.
    guard let old = try? FileManager.default.destinationOfSymbolicLink(atPath: link),
      let request = old.split(separator: "/").dropLast().last.map(String.init)
    else { return nil }
    let known = versions[request] ?? read(request)
    versions[request] = known
    return known[slug.text]
  }

  private func read(_ request: String) -> [String: OSVersion] {
    guard let data = try? Data(contentsOf: URL(filePath: "\(output)/\(request)/index.json")),
      let index = try? JSONDecoder().decode(Index.self, from: data)
    else { return [:] }
    let known = index.deviceTypes.compactMap { one in one.version.flatMap { OSVersion($0) }.map { (one.slug, $0) } }
    return Dictionary(known, uniquingKeysWith: { first, _ in first })
  }
}
