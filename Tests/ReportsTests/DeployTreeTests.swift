import BlobStore
import BuildModel
import CanonicalJSON
import FoundationEssentials
import Glibc
import Reports
import TestFiles
import Testing

/// The deploy tree on disk.
struct DeployTreeTests {
  func withTree<Value>(_ body: (DeployTree, BlobStore, String) throws -> Value) throws -> Value {
    try withScratchDirectory { root in
      return try body(DeployTree(output: root + "/out", request: RequestID(now: .now)), BlobStore(root: root + "/blobs"), root)
    }
  }

  /// A release with an image.
  func report(_ slug: String, version: String, files: [DeviceTypeReport.File] = []) throws -> DeviceTypeReport {
    let digest = try #require(Digest(hex: String(repeating: "a", count: 64)))
    var report = DeviceTypeReport(
      slug: try Slug(slug), machine: try Machine(slug), arch: .amd64, version: OSVersion(version), outcome: .built, reason: nil,
      artifacts: files,
      images: [.init(path: try #require(RelativePath("images/x.img")), digest: digest, size: 1)])
    report.isRelease = true
    return report
  }

  @Test func writesSumsThatHoldAndAnIndexWithExplicitNulls() throws {
    try withTree { tree, blobs, _ in
      let blob = try blobs.put(Array("content".utf8))
      let path = try #require(RelativePath("deploy-jenkins/VERSION"))
      let slug = try Slug("board")
      try tree.place(blob.digest, from: blobs, at: path, of: slug)
      let file = DeviceTypeReport.File(path: path, digest: blob.digest, size: blob.size)
      var report = try report("board", version: "1.0.0", files: [file])
      report.images = []
      try tree.finish(IndexDocument(request: tree.request, deviceTypes: [report]))
      let sums = try String(contentsOf: URL(filePath: tree.root + "/SHA256SUMS"), encoding: .utf8)
      #expect(sums == "\(blob.digest.hex)  board/deploy-jenkins/VERSION\n")
      let index = try String(contentsOf: URL(filePath: tree.root + "/index.json"), encoding: .utf8)
      #expect(index.contains("\"reason\" : null"))
      for key in ["commit", "submodules", "startedAt", "endedAt", "blame"] { #expect(index.contains("\"\(key)\" : null")) }
      #expect(index.contains("\"version\" : 1"))
      #expect(try Data(contentsOf: URL(filePath: tree.directory(slug) + "/deploy-jenkins/VERSION")) == Data("content".utf8))
    }
  }

  /// The text is put together from pieces, and files are written by hand; they must be the same bytes as the encoder's.
  @Test func writesTheIndexAsOneDocument() throws {
    let digest = try #require(Digest(hex: String(repeating: "b", count: 64)))
    let paths = ["deploy-jenkins/a b.ipk", "x/\u{e4}\u{1f600}", "x/\"quoted\\\"", "x/\t\u{1}\u{7f}\u{2028}", "z"].compactMap(RelativePath.init)
    try #require(paths.count >= 3)
    var plain = try report("first", version: "1.0.0", files: paths.map { .init(path: $0, digest: digest, size: .max) })
    #expect(try plain.record() == CanonicalJSON.encode(plain))
    plain.notices = ["{\"artifacts\":[", "[]{}:,\\\""]
    #expect(try plain.record() == CanonicalJSON.encode(plain))
    var odd = try report("second", version: "1.0.0")
    odd.reason = "a \n  \"deviceTypes\" : [ ] in a reason\n\n"
    for types in [[], [plain], [plain, odd]] {
      let index = IndexDocument(request: RequestID(now: .now), deviceTypes: types, problems: ["\n  \"deviceTypes\" : ["])
      #expect(try index.text() == CanonicalJSON.readable(index))
    }
  }

  @Test func movesLatestForwardOnly() throws {
    try withTree { newer, _, _ in
      let older = DeployTree(output: newer.output, request: RequestID(now: .now))
      let (new, old) = (try report("board", version: "2.0.0"), try report("board", version: "1.9.9+rev3"))
      // Beside a device type whose repository could not be read, and which so has no version.
      var unread = try report("unread", version: "1.0.0")
      (unread.version, unread.outcome) = (nil, .failed)
      try newer.finish(IndexDocument(request: newer.request, deviceTypes: [new, unread]))
      var links = LatestLinks(output: newer.output)
      try links.move([new], to: newer.request)
      try older.finish(IndexDocument(request: older.request, deviceTypes: [old]))
      links = LatestLinks(output: older.output)
      try links.move([old], to: older.request)
      let link = try FileManager.default.destinationOfSymbolicLink(atPath: newer.output + "/latest/board")
      #expect(link == "../\(newer.request)/board")
    }
  }

  /// What no tag stands for, or has no image to write, is the last build and not the latest version.
  @Test func movesLatestToReleasesWithImagesAlone() throws {
    try withTree { tree, _, _ in
      func target(_ name: String) -> String? { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(tree.output)/\(name)/board") }
      let good = try report("board", version: "2.0.0")
      try tree.finish(IndexDocument(request: tree.request, deviceTypes: [good]))
      var links = LatestLinks(output: tree.output)
      try links.move([good], to: tree.request)
      #expect(target("latest") == "../\(tree.request)/board" && target("latest-build") == target("latest"))

      var (dirty, withoutImages, failed) = (good, good, good)
      dirty.isRelease = false
      withoutImages.images = []
      failed.outcome = .failed
      for (report, moves) in [(dirty, true), (withoutImages, true), (failed, false)] {
        let request = RequestID(now: .now)
        try links.move([report], to: request)
        #expect(target("latest") == "../\(tree.request)/board")
        #expect((target("latest-build") == "../\(request)/board") == moves)
      }
    }
  }

  @Test func saysWhoseFaultAFailureIs() throws {
    var failed = try report("board", version: "1.0.0")
    failed.outcome = .failed
    failed.blame = .repository
    #expect(failed.verdict == "failed (repository)")
    failed.blame = .host
    #expect(failed.verdict == "failed (host)")
    failed.host = try HostName("arm-1")
    #expect(failed.verdict == "failed (host arm-1)")
    #expect(try report("board", version: "1.0.0").verdict == "built")
  }

  @Test func replacesRegularFilesOnly() throws {
    try withTree { _, _, root in
      let (pipe, link, file) = (root + "/pipe", root + "/link", root + "/file")
      try #require(mkfifo(pipe, 0o600) == 0)
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/null")
      try DeployTree.write(Array("first".utf8), to: file)
      try DeployTree.write(Array("second".utf8), to: file)
      for (path, kind) in [(pipe, "a pipe"), (link, "a symbolic link"), (root, "a directory")] {
        let error = #expect(throws: ReportError.self) { try DeployTree.write(Array("text".utf8), to: path) }
        #expect(error?.description == "\(path) exists and is \(kind), not a regular file; it is not replaced")
        #expect(error?.blame == .request)
      }
      let error = #expect(throws: ReportError.self) { try DeployTree.makeDirectory(file) }
      #expect(error?.description == "\(file) exists and is a file, not a directory; it is not replaced")
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "/dev/null")
    }
  }

  @Test func leavesWhatIsNoLatestLink() throws {
    try withTree { tree, _, _ in
      let new = try report("board", version: "2.0.0")
      let place = tree.output + "/latest-build/board"
      try DeployTree.write(Array("mine".utf8), to: place)
      var links = LatestLinks(output: tree.output)
      let error = #expect(throws: ReportError.self) { try links.move([new], to: tree.request) }
      #expect(error?.description == "\(place) exists and is not a symbolic link; move it away")
      #expect(try String(contentsOf: URL(filePath: place), encoding: .utf8) == "mine")
    }
  }
}
