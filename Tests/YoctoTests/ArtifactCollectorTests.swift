import BlobStore
import BuildModel
import Foundation
import TestFiles
import TestPeers
import Testing
import Yocto

/// Collecting from real trees, also hostile ones; what comes out is read with unzip and tar.
final class ArtifactCollectorTests {
  private let directory: ScratchDirectory
  private var scratch: String { directory.path }
  private let images: String

  init() throws {
    directory = try ScratchDirectory()
    images = try directory.makeDirectory("tree/build/tmp/deploy/images/acme")
  }

  @Test func linksAreFollowedAndZipsAreWhole() throws {
    let content = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 * 7 / 3) }) + Data(count: 3_000_000)
    let collector = try collector()
    try content.write(to: URL(filePath: images + "/real-20240101.img"))
    try FileManager.default.createSymbolicLink(atPath: images + "/acme.img", withDestinationPath: "real-20240101.img")
    let image = try #require(try collector.collect(item("images/acme.img", .file(.images(path("acme.img"))), role: .diskImage)))
    #expect(image.size == Int64(content.count))
    let zip = try #require(try collector.collect(item("image/balena.img.zip", .zippedFile(.images(path("acme.img")), name: "balena.img"))))
    let again = try #require(try collector.collect(item("image/balena.img.zip", .zippedFile(.images(path("acme.img")), name: "balena.img"))))
    #expect(zip.digest == again.digest)
    #expect(zip.size < 600_000)
    #expect(
      try Tool.run([
        "python3",
        "-c", "import zipfile,sys,hashlib; print(hashlib.sha256(zipfile.ZipFile(sys.argv[1]).read('balena.img')).hexdigest())",
        try store().path(zip.digest),
      ]) == image.digest.hex + "\n")
  }

  @Test func aLinkOutOfTheTreeIsRefused() throws {
    let collector = try collector()
    try FileManager.default.createSymbolicLink(atPath: images + "/acme.img", withDestinationPath: "/etc/hostname")
    #expect { try collector.collect(item("images/acme.img", .file(.images(path("acme.img"))), role: .diskImage)) } throws: {
      "\($0)".contains("leads out of the work tree")
    }
  }

  @Test func whatIsMissingIsNamedWithWhatIsThere() throws {
    let collector = try collector()
    try Data("x".utf8).write(to: URL(filePath: images + "/other.img"))
    let wanted = item("images/acme.img", .file(.images(path("acme.img"))), role: .diskImage)
    #expect { try collector.collect(wanted) } throws: { error in
      guard let error = error as? YoctoError else { return false }
      return error.description == "the build did not make 'build/tmp/deploy/images/acme/acme.img'" && error.details == ["there are:", "other.img"]
    }
    var optional = wanted
    optional.isRequired = false
    #expect(try collector.collect(optional) == nil)
  }

  /// A wrapper that reports success without having built leaves the files of an earlier run.
  @Test func anOldFileIsStale() throws {
    try Data("x".utf8).write(to: URL(filePath: images + "/acme.img"))
    let changed = try FileManager.default.attributesOfItem(atPath: images + "/acme.img")[.modificationDate] as? Date
    // The file system's clock has steps: the mark must be taken in a later one.
    var mark = try FreshnessMark(in: scratch)
    while mark.isOlder(than: images + "/acme.img") { mark = try FreshnessMark(in: scratch) }
    let collector = try collector(mark)
    #expect { try collector.collect(item("images/acme.img", .file(.images(path("acme.img"))))) } throws: {
      "\($0)".contains("is older than this build")
    }
    // Restored from a cache: an old modification time, but made now.
    try FileManager.default.removeItem(atPath: images + "/acme.img")
    try Data("x".utf8).write(to: URL(filePath: images + "/acme.img"))
    try FileManager.default.setAttributes([.modificationDate: try #require(changed).addingTimeInterval(-86400)], ofItemAtPath: images + "/acme.img")
    #expect(try collector.collect(item("images/acme.img", .file(.images(path("acme.img"))))) != nil)
  }

  @Test func licencesKeepInnerLinksOnly() throws {
    let licenses = scratch + "/tree/build/tmp/deploy/licenses"
    try FileManager.default.createDirectory(atPath: licenses + "/pkg", withIntermediateDirectories: true)
    try Data("MIT".utf8).write(to: URL(filePath: licenses + "/pkg/MIT"))
    for (name, target) in [("inner", "MIT"), ("absolute", "/work/build/x"), ("out", "../../../../x"), ("up", "../pkg/MIT")] {
      try FileManager.default.createSymbolicLink(atPath: licenses + "/pkg/" + name, withDestinationPath: target)
    }
    let tar = try #require(try collector().collect(item("licenses.tar.gz", .tar(.deploy(path("licenses")), prefix: "licenses"))))
    let listing = try Tool.run(["tar", "-tzf", try store().path(tar.digest)]).split(separator: "\n").map(String.init)
    #expect(listing == ["licenses/", "licenses/pkg/", "licenses/pkg/MIT", "licenses/pkg/inner", "licenses/pkg/up"])
  }

  // MARK: assets of a service

  private func collectAssets(_ globs: String...) throws -> [String] {
    try collector().collectAssets(globs, of: BlockName("acme-ext")).map(\.path.text)
  }

  private func make(_ path: String, link: String? = nil) throws {
    let place = URL(filePath: "\(scratch)/tree/build/tmp/deploy/\(path)")
    try FileManager.default.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    if let link {
      try FileManager.default.createSymbolicLink(atPath: place.path, withDestinationPath: link)
    } else {
      try Data(path.utf8).write(to: place)
    }
  }

  @Test func globsNameFilesBelowTheDeployDirectory() throws {
    for file in ["images/acme/x-1.manifest", "images/acme/y.txt", "licenses/a/LICENSE", "licenses/a/.hidden", "licenses/b/deep/c/L", "top"] {
      try make(file)
    }
    try make("images/acme/x.manifest", link: "x-1.manifest")
    try make("licenses/a/generic", link: "/work/layers/LICENSE")
    try make("licenses/loop", link: ".")
    let prefix = "service/acme-ext/"
    #expect(
      try collectAssets("images/acme/*.manifest", "nothing/*") == ["images/acme/x-1.manifest", "images/acme/x.manifest"].map { prefix + $0 })
    #expect(
      try collectAssets("licenses") == ["licenses/a/.hidden", "licenses/a/LICENSE", "licenses/b/deep/c/L"].map { prefix + $0 })
    #expect(try collectAssets("licenses/**") == (try collectAssets("licenses")))
    #expect(try collectAssets("**/L") == [prefix + "licenses/b/deep/c/L"])
    #expect(try collectAssets("licenses/?/L*") == [prefix + "licenses/a/LICENSE"])
    #expect(try collectAssets("images/acme/[xy].[mt]*t", "images/acme/y.txt").count == 2)
    #expect(try collectAssets("top") == [prefix + "top"])
  }

  @Test func theWholeSetMayNotBeEmpty() throws {
    try make("top")
    #expect(try collector().collectAssets([], of: BlockName("x")) == [])
    #expect {
      _ = try collectAssets("a*", "b/**")
    } throws: {
      "\($0)" == "the build did not make 'build/tmp/deploy/{a*,b/**}'" && ($0 as? YoctoError)?.details == ["there are:", "images", "top"]
    }
  }

  @Test(arguments: ["../tree/x", "/etc/hostname", "images/../../x", ""])
  func globsStayBelow(_ glob: String) throws {
    try make("top")
    #expect { _ = try collectAssets(glob, "top") } throws: { "\($0)".contains("leads out of the work tree") }
  }

  @Test func anAssetThatLeadsOutIsRefused() throws {
    try make("images/acme/secret", link: "/etc/hostname")
    #expect { _ = try collectAssets("images/acme/*") } throws: { "\($0)".contains("leads out of the work tree") }
  }

  private func store() throws -> BlobStore { try BlobStore(root: scratch + "/blobs") }

  private func collector(_ mark: FreshnessMark? = nil) throws -> ArtifactCollector {
    ArtifactCollector(
      tree: try BuildTree(path: scratch + "/tree"), machine: try Machine("acme"), store: try store(), epoch: 1_700_000_000,
      fresh: try mark ?? FreshnessMark(in: scratch))
  }

  private func item(_ path: String, _ source: ArtifactLayout.Source, role: Artifact.Role = .file) -> ArtifactLayout.Item {
    ArtifactLayout.Item(path: self.path(path), source: source, role: role, isRequired: true)
  }

  private func path(_ text: String) -> RelativePath {
    guard let path = RelativePath(text) else { preconditionFailure("'\(text)' is no relative path") }
    return path
  }
}
