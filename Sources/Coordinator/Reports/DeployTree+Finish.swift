import BoundedConcurrency
import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc

extension DeployTree {
  /// Writes SHA256SUMS and junit.xml, then index.json last: a tree with an index is complete.
  ///
  /// Returns what index.json holds. `records` has the canonical reports that are at hand already. SHA256SUMS covers every artifact, image and failed task's log in the form that `sha256sum -c` reads, paths relative to the request's directory.
  @discardableResult
  package func finish(_ index: IndexDocument, records: [Slug: [UInt8]] = [:]) throws -> [UInt8] {
    // No device type's directory is the beginning of another one's, so whole device types can be sorted.
    let sums = index.deviceTypes.sorted { "\($0.slug)/" < "\($1.slug)/" }.parallelMap(Self.sums)
    try Self.write(Array(sums.joined()), to: root + "/SHA256SUMS")
    let junit = JUnitReport(index) { [root] slug, log in
      let path = "\(slug)/\(log)"
      return access("\(root)/\(path)", F_OK) == 0 ? path : nil
    }
    try Self.write(Array(junit.xml().utf8), to: root + "/junit.xml")
    let document = try index.text(records: records)
    try Self.write(document, to: root + "/index.json")
    return document
  }

  /// The lines of one device type, sorted by path.
  private static func sums(of report: DeviceTypeReport) -> [UInt8] {
    let files = (report.artifacts + report.images + (report.taskLogs ?? [])).sorted { $0.path.text < $1.path.text }
    var text: [UInt8] = []
    for file in files { text += "\(file.digest.hex)  \(report.slug)/\(file.path)\n".utf8 }
    return text
  }
}
