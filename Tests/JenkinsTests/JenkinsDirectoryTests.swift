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
      slug: slug, machine: try Machine(slug.text), arch: .amd64, version: "1.0.0", outcome: .built, reason: nil,
      log: RelativePath("logs/attempt-1.log"), artifacts: [try file("deploy-jenkins/image/balena.img.zip"), try file("deploy-jenkins/VERSION")],
      images: [try file("images/x.balenaos-img")])
  }

  private func failed(_ slug: String, in tree: DeployTree, hasLog: Bool) throws -> DeviceTypeReport {
    let slug = try Slug(slug)
    if hasLog { try DeployTree.write(Array("console".utf8), to: tree.directory(slug) + "/logs/attempt-2.log") }
    return DeviceTypeReport(
      slug: slug, machine: try Machine(slug.text), arch: .amd64, version: "1.0.0", outcome: .failed, reason: "no", failure: .build,
      log: RelativePath("logs/attempt-2.log"))
  }

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
      #expect(files(directory.path) == ["VERSION", "image/balena.img.zip", "images/x.balenaos-img", "junit.xml"])
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
          "bad/logs/attempt-2.log", "board/VERSION", "board/image/balena.img.zip", "board/images/x.balenaos-img", "junit.xml",
        ])
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
      #expect(files(directory.path) == ["junit.xml"])
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
