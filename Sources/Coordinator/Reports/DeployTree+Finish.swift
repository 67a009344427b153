import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc

extension DeployTree {
  /// Writes SHA256SUMS and junit.xml, then index.json last: a tree with an index is complete.
  ///
  /// Returns what index.json holds. SHA256SUMS covers every artifact, image and failed task's log in the form that `sha256sum -c` reads, paths relative to the request's directory.
  @discardableResult
  package func finish(_ index: IndexDocument) throws -> [UInt8] {
    var sums: [(path: String, digest: Digest)] = []
    for report in index.deviceTypes {
      for file in report.artifacts + report.images + (report.taskLogs ?? []) { sums.append(("\(report.slug)/\(file.path)", file.digest)) }
    }
    sums.sort { $0.path < $1.path }
    var text: [UInt8] = []
    for sum in sums { text.append(contentsOf: "\(sum.digest.hex)  \(sum.path)\n".utf8) }
    try Self.write(text, to: root + "/SHA256SUMS")
    let junit = JUnitReport(index) { [root] slug, log in
      let path = "\(slug)/\(log)"
      return access("\(root)/\(path)", F_OK) == 0 ? path : nil
    }
    try Self.write(Array(junit.xml().utf8), to: root + "/junit.xml")
    let document = try index.text()
    try Self.write(document, to: root + "/index.json")
    return document
  }
}
