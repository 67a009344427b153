import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc

extension DeployTree {
  /// Writes SHA256SUMS and junit.xml, then index.json last: a tree with an index is complete.
  ///
  /// SHA256SUMS covers every artifact and image in the form that `sha256sum -c` reads, paths relative to the request's directory.
  package func finish(_ index: IndexDocument) throws {
    var lines: [String] = []
    for report in index.deviceTypes {
      for file in report.artifacts + report.images { lines.append("\(file.digest.hex)  \(report.slug)/\(file.path)\n") }
    }
    try Self.write(Array(lines.sorted { $0.dropFirst(66) < $1.dropFirst(66) }.joined().utf8), to: root + "/SHA256SUMS")
    try Self.write(Array(JUnitReport(index).xml().utf8), to: root + "/junit.xml")
    try Self.write(try CanonicalJSON.readable(index), to: root + "/index.json")
  }

  /// Points `<output>/latest/<slug>` here unless it already points to a later version. `isLater(new, old)` compares versions.
  package func moveLatest(_ report: DeviceTypeReport, isEarlier: (String, String) -> Bool) throws {
    let directory = output + "/latest"
    try Self.makeDirectory(directory)
    let link = "\(directory)/\(report.slug)"
    if let version = latestVersion(at: link, of: report.slug), isEarlier(report.version, version) { return }
    let temporary = link + ".new"
    unlink(temporary)
    guard symlink("../\(request)/\(report.slug)", temporary) == 0 else {
      throw ReportError(operation: "symlink", path: temporary, errno: errno)
    }
    guard rename(temporary, link) == 0 else { throw ReportError(operation: "rename", path: link, errno: errno) }
  }

  /// The version of the device type that the link stands for, as that request's index says; nil when there is none.
  private func latestVersion(at link: String, of slug: Slug) -> String? {
    // The link reads `../<request>/<slug>`.
    guard let old = try? FileManager.default.destinationOfSymbolicLink(atPath: link),
      let request = old.split(separator: "/").dropLast().last,
      let data = try? Data(contentsOf: URL(filePath: "\(output)/\(request)/index.json")),
      let index = try? CanonicalJSON.decode(IndexDocument.self, from: data, limit: IndexDocument.sizeLimit)
    else { return nil }
    return index.deviceTypes.first { $0.slug == slug }?.version
  }
}
