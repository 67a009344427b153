import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc

extension DeployTree {
  /// Writes SHA256SUMS and junit.xml, then index.json last: a tree with an index is complete.
  ///
  /// SHA256SUMS covers every artifact, image and failed task's log in the form that `sha256sum -c` reads, paths relative to the request's directory.
  package func finish(_ index: IndexDocument) throws {
    var lines: [String] = []
    for report in index.deviceTypes {
      for file in report.artifacts + report.images + (report.taskLogs ?? []) { lines.append("\(file.digest.hex)  \(report.slug)/\(file.path)\n") }
    }
    try Self.write(Array(lines.sorted { $0.dropFirst(66) < $1.dropFirst(66) }.joined().utf8), to: root + "/SHA256SUMS")
    try Self.write(Array(JUnitReport(index).xml().utf8), to: root + "/junit.xml")
    try Self.write(try CanonicalJSON.readable(index), to: root + "/index.json")
  }
}
