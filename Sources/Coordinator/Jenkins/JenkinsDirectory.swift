import BlobStore
import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc
import Reports

/// `deploy-jenkins/` of a job's workspace: where the jobs of the old scripts pick up what a build made.
///
/// One device type's files lie directly in it (the layout of balena-yocto-scripts' deploy functions, `images/` beside them), several device
/// types' files below a directory for each; `junit.xml` and `index.json` are always at its top. All calls are synchronous.
package struct JenkinsDirectory: Sendable {
  package let path: String

  package init(workspace: String) { path = workspace + "/deploy-jenkins" }

  /// A file and where it goes.
  package struct Entry: Hashable, Sendable {
    /// Below the request's directory.
    package var source: String
    /// Below `deploy-jenkins/`.
    package var destination: RelativePath
  }

  /// What goes where. Pure. The logs of a device type that was not built go along.
  package static func layout(_ index: IndexDocument, isSingle: Bool) -> [Entry] {
    index.deviceTypes.flatMap { report -> [Entry] in
      let prefix = isSingle ? "" : report.slug.text + "/"
      let made = (report.artifacts + report.images).map { file in
        (file.path, prefix + (BuildFilePath.own(file.path) ?? file.path).text)
      }
      let isBuilt = report.outcome == .built || report.outcome == .reused
      let logs = isBuilt ? [] : ([report.log].compactMap(\.self) + (report.taskLogs ?? []).map(\.path)).map { ($0, prefix + $0.text) }
      return (made + logs).compactMap { path, inner in
        RelativePath(inner).map { Entry(source: "\(report.slug)/\(path)", destination: $0) }
      }
    }
  }

  /// Removes what an earlier run left, so that nobody takes it for this run's.
  package func clear() throws {
    if let reason = OutputPath.reasonNotDirectory(path) { throw ReportError(output: path, reason: reason) }
    for place in [path, path + ".new"] where FileManager.default.fileExists(atPath: place) || Self.isLink(place) {
      try FileManager.default.removeItem(atPath: place)
    }
  }

  /// Notes the request that a run works on and how its result is to be laid out, for as long as it has none.
  package func begin(_ request: RequestID, isSingle: Bool) throws {
    try DeployTree.write(Array("\(request) \(isSingle ? "single" : "several")\n".utf8), to: path + "/request")
  }

  /// The request of a run that was killed before it had a result; nil when there is none.
  package func unfinished() -> (request: RequestID, isSingle: Bool)? {
    guard let data = FileManager.default.contents(atPath: path + "/request"), data.count < 100 else { return nil }
    let words = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard let request = words.first.flatMap({ RequestID(String($0)) }) else { return nil }
    return (request, words.last == "single")
  }

  /// Says why there is no request: a document like ``IndexDocument`` without device types.
  package func write(_ refusal: JenkinsRefusal) throws { try DeployTree.write(CanonicalJSON.readable(refusal), to: path + "/index.json") }

  /// Writes everything under another name and moves it into place when it is whole. Files are hard links where possible, else copies.
  package func write(_ index: IndexDocument, from tree: DeployTree, isSingle: Bool) throws {
    try clear()
    let staged = path + ".new"
    try DeployTree.makeDirectory(staged)
    for entry in Self.layout(index, isSingle: isSingle) {
      let (source, destination) = ("\(tree.root)/\(entry.source)", "\(staged)/\(entry.destination)")
      // An attempt that ended before its worker said anything has no log.
      if entry.source.hasSuffix(".log"), access(source, F_OK) != 0 { continue }
      try DeployTree.makeParents(of: destination)
      if link(source, destination) != 0 {
        let cause = errno
        guard cause == EXDEV || cause == EMLINK || cause == EPERM else { throw ReportError(operation: "link", path: destination, errno: cause) }
        try FileReader.copy(source, to: destination)
      }
    }
    let junit = JUnitReport(index) { slug, log in
      let path = isSingle ? log.text : "\(slug)/\(log)"
      return access("\(staged)/\(path)", F_OK) == 0 ? path : nil
    }
    try DeployTree.write(Array(junit.xml().utf8), to: staged + "/junit.xml")
    try DeployTree.write(CanonicalJSON.readable(index), to: staged + "/index.json")
    guard rename(staged, path) == 0 else { throw ReportError(operation: "rename", path: path, errno: errno) }
  }

  private static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & 0o170000 == 0o120000
  }
}
