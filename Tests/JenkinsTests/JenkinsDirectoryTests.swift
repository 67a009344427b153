import BlobStore
import BuildModel
import Foundation
import Reports
import TestFiles
import Testing

@testable import Jenkins

/// `deploy-jenkins/` of a workspace.
struct JenkinsDirectoryTests {
  private func withTree(_ body: (DeployTree, BlobStore, String) throws -> Void) throws {
    try withScratchDirectory { root in
      try FileManager.default.createDirectory(atPath: root + "/workspace", withIntermediateDirectories: true)
      try body(DeployTree(output: root + "/out", request: RequestID(now: .now)), BlobStore(root: root + "/blobs"), root + "/workspace")
    }
  }

  private func built(_ slug: String, in tree: DeployTree, _ blobs: BlobStore) throws -> DeviceTypeReport {
    let slug = try Slug(slug)
    func file(_ text: String) throws -> DeviceTypeReport.File {
      let blob = try blobs.put(Array("\(slug) \(text)".utf8))
      let path = try #require(RelativePath(text))
      try tree.place(blob.digest, from: blobs, at: path, of: slug)
      return .init(path: path, digest: blob.digest, size: blob.size)
    }
    return DeviceTypeReport(
      slug: slug, machine: try Machine(slug.text), arch: .amd64, version: OSVersion("1.0.0")!, outcome: .built, reason: nil,
      log: RelativePath("logs/attempt-1.log"), artifacts: [try file("deploy-jenkins/image/balena.img.zip"), try file("deploy-jenkins/VERSION")],
      images: [try file("images/x.balenaos-img")])
  }

  private func failed(_ slug: String, in tree: DeployTree, hasLog: Bool) throws -> DeviceTypeReport {
    let slug = try Slug(slug)
    let taskLog = try #require(RelativePath("logs/attempt-2.log.do_compile"))
    if hasLog { for log in ["logs/attempt-2.log", taskLog.text] { try DeployTree.write(Array(log.utf8), to: "\(tree.directory(slug))/\(log)") } }
    return DeviceTypeReport(
      slug: slug, machine: try Machine(slug.text), arch: .amd64, version: OSVersion("1.0.0")!, outcome: .failed, reason: "no", failure: .build,
      blame: .repository,
      log: RelativePath("logs/attempt-2.log"),
      taskLogs: hasLog ? [.init(path: taskLog, digest: try #require(Digest("sha256:" + String(repeating: "0", count: 64))), size: 1)] : nil)
  }

  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  private func files(_ directory: String) -> [String] {
    (FileManager.default.enumerator(atPath: directory)?.allObjects as? [String] ?? []).filter { path in
      var isDirectory: ObjCBool = false
      return FileManager.default.fileExists(atPath: directory + "/" + path, isDirectory: &isDirectory) && !isDirectory.boolValue
    }.sorted()
  }

  @Test func holdsOneDeviceTypeDirectly() throws {
    try withTree { tree, blobs, workspace in
      let index = IndexDocument(request: tree.request, deviceTypes: [try built("board", in: tree, blobs)])
      let directory = JenkinsDirectory(workspace: workspace)
      try directory.write(index, from: tree, isSingle: true)
      #expect(files(directory.path) == ["VERSION", "image/balena.img.zip", "images/x.balenaos-img", "index.json", "junit.xml"])
      #expect(try String(contentsOfFile: directory.path + "/VERSION", encoding: .utf8) == "board deploy-jenkins/VERSION")
      #expect(!FileManager.default.fileExists(atPath: directory.path + ".new"))
    }
  }

  @Test func holdsSeveralApartAndTheLogsOfFailures() throws {
    try withTree { tree, blobs, workspace in
      let reports = [
        try built("board", in: tree, blobs), try failed("bad", in: tree, hasLog: true), try failed("silent", in: tree, hasLog: false),
      ]
      let directory = JenkinsDirectory(workspace: workspace)
      try directory.write(IndexDocument(request: tree.request, deviceTypes: reports), from: tree, isSingle: false)
      #expect(
        files(directory.path) == [
          "bad/logs/attempt-2.log", "bad/logs/attempt-2.log.do_compile", "board/VERSION", "board/image/balena.img.zip", "board/images/x.balenaos-img",
          "index.json", "junit.xml",
        ])
      let junit = try text(directory.path + "/junit.xml")
      #expect(junit.contains("\nlog: bad/logs/attempt-2.log\nlog: bad/logs/attempt-2.log.do_compile\n"))
      #expect(!junit.contains("silent/logs"), "there is no such log")
    }
  }

  /// The files of one device type lie directly in the directory, and so do the logs that its report names.
  @Test func namesTheLogsOfOneDeviceTypeWhereTheyLie() throws {
    try withTree { tree, _, workspace in
      let index = IndexDocument(request: tree.request, deviceTypes: [try failed("bad", in: tree, hasLog: true)])
      let directory = JenkinsDirectory(workspace: workspace)
      try directory.write(index, from: tree, isSingle: true)
      #expect(files(directory.path) == ["index.json", "junit.xml", "logs/attempt-2.log", "logs/attempt-2.log.do_compile"])
      #expect(try text(directory.path + "/junit.xml").contains("\nlog: logs/attempt-2.log\nlog: logs/attempt-2.log.do_compile\n"))
      #expect(try text(directory.path + "/index.json").filter { !$0.isWhitespace }.contains(#""blames":["repository"]"#))
    }
  }

  /// A run that was killed leaves what another one needs to end it and to lay its result out.
  @Test(arguments: [true, false]) func notesTheRequest(isSingle: Bool) throws {
    try withTree { tree, _, workspace in
      let directory = JenkinsDirectory(workspace: workspace)
      #expect(directory.unfinished() == nil)
      try directory.begin(tree.request, isSingle: isSingle)
      let unfinished = try #require(directory.unfinished())
      #expect(unfinished.request == tree.request && unfinished.isSingle == isSingle)
      try directory.write(IndexDocument(request: tree.request, deviceTypes: []), from: tree, isSingle: isSingle)
      #expect(directory.unfinished() == nil)
    }
  }

  /// Where the farm could not even begin a request, its document says whose fault that is.
  @Test func saysWhyThereIsNoRequest() throws {
    struct Unreachable: BlamedError {
      let blame = Blame.cloud
      let description = "api.example.org does not answer"
    }
    try withTree { _, _, workspace in
      let directory = JenkinsDirectory(workspace: workspace)
      try directory.write(JenkinsRefusal(Unreachable()))
      let written = try text(directory.path + "/index.json")
      #expect(
        written.filter { !$0.isWhitespace }
          == #"{"blames":["cloud"],"deviceTypes":[],"reason":"api.example.orgdoesnotanswer","request":null,"version":1}"#)
    }
  }

  /// Nothing of an earlier run stays, and what a link points to is not touched.
  @Test func leavesNothingOfAnEarlierRun() throws {
    try withTree { tree, blobs, workspace in
      let directory = JenkinsDirectory(workspace: workspace)
      try DeployTree.write([1], to: workspace + "/elsewhere/kept")
      try FileManager.default.createSymbolicLink(atPath: directory.path, withDestinationPath: "elsewhere")
      try DeployTree.write([1], to: directory.path + ".new/half")
      let report = try built("board", in: tree, blobs)
      try directory.write(IndexDocument(request: tree.request, deviceTypes: [report]), from: tree, isSingle: true)
      #expect(files(directory.path).contains("VERSION"))
      #expect(files(workspace + "/elsewhere") == ["kept"])
      try directory.write(IndexDocument(request: tree.request, deviceTypes: []), from: tree, isSingle: true)
      #expect(files(directory.path) == ["index.json", "junit.xml"])
      try directory.clear()
      #expect(files(workspace) == ["elsewhere/kept"])
    }
  }

  @Test func leavesWhatIsNoDirectory() throws {
    try withTree { tree, _, workspace in
      let directory = JenkinsDirectory(workspace: workspace)
      try DeployTree.write(Array("mine".utf8), to: directory.path)
      let error = #expect(throws: ReportError.self) {
        try directory.write(IndexDocument(request: tree.request, deviceTypes: []), from: tree, isSingle: true)
      }
      #expect(error?.description == "\(directory.path) exists and is a file, not a directory; it is not replaced")
      #expect(FileManager.default.contents(atPath: directory.path) == Data("mine".utf8))
    }
  }
}
