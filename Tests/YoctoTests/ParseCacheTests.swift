import BuildModel
import Foundation
import TestFiles
import Testing
import Yocto

/// What bitbake remembers, between two attempts.
struct ParseCacheTests {
  private func cache(_ scratch: String, slot: Int = 0, isInContainer: Bool = false) throws -> ParseCache {
    ParseCache(
      cache: scratch + "/cache", repository: try #require(Digest(hex: String(repeating: "d", count: 64))), slot: slot, tree: scratch + "/tree",
      isInContainer: isInContainer)
  }

  private func write(_ names: [String], below directory: String) throws {
    for name in names {
      let path = "\(directory)/\(name)"
      try FileManager.default.createDirectory(atPath: URL(filePath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
      try Data("x".utf8).write(to: URL(filePath: path))
    }
  }

  private func files(_ directory: String) -> [String] {
    (FileManager.default.enumerator(atPath: directory)?.allObjects as? [String] ?? []).filter { !$0.hasSuffix("cache") && $0.contains("/") }.sorted()
  }

  @Test func onlyWhatWasParsedComesBack() throws {
    try withScratchDirectory { scratch in
      let build = scratch + "/tree/build"
      try write(
        [
          "tmp/cache/default-glibc/m/bb_cache.dat.1", "tmp/cache/hashserv.db", "tmp/cache/hashserv.db-wal", "cache/bb_codeparser.dat",
          "cache/prserv.sqlite3", "cache/bb_unihashes.dat", "cache/local_file_checksum_cache.dat", "tmp/work/x", "conf/local.conf",
        ], below: build)
      try cache(scratch).moveOut()
      #expect(!FileManager.default.fileExists(atPath: build + "/tmp/cache") && FileManager.default.fileExists(atPath: build + "/tmp/work/x"))
      try FileManager.default.removeItem(atPath: build)
      // Another slot, and a container, see other paths.
      for other in [try cache(scratch, slot: 1), try cache(scratch, isInContainer: true)] { other.moveIn() }
      #expect(!FileManager.default.fileExists(atPath: build))
      try cache(scratch).moveIn()
      #expect(
        files(build).filter { $0.contains(".dat") || $0.contains(".db") || $0.contains("sqlite") } == [
          "cache/bb_codeparser.dat", "tmp/cache/default-glibc/m/bb_cache.dat.1",
        ])
      // What a later attempt left takes the place of the former.
      try write(["tmp/cache/default-glibc/m/bb_cache.dat.2"], below: build)
      try FileManager.default.removeItem(atPath: build + "/tmp/cache/default-glibc/m/bb_cache.dat.1")
      try cache(scratch).moveOut()
      #expect(ParseCache.collectGarbage(cache: scratch + "/cache", days: 1) == 0)
      try cache(scratch).moveIn()
      #expect(files(build).contains("tmp/cache/default-glibc/m/bb_cache.dat.2") && !files(build).contains { $0.hasSuffix("dat.1") })
      try cache(scratch).moveOut()
      #expect(ParseCache.collectGarbage(cache: scratch + "/cache", days: 0) > 0)
    }
  }

  @Test(arguments: [
    (#"PACKAGE_ARCHS        = "all any noarch m""#, ["all", "any", "noarch", "m"]), (#"PACKAGE_ARCHS="all m""#, ["all", "m"]),
    (#"PACKAGE_ARCHS +      = "all""#, []), (#"| PACKAGE_ARCHS = "all""#, []), (#"PACKAGE_ARCHS = all"#, []), ("PACKAGE_ARCHS", []),
    (#"PACKAGE_ARCHS        = "a/b .. m m""#, ["m"]),
  ])
  func theHeaderSaysTheArchitectures(_ line: String, _ architectures: [String]) {
    var variables = BuildVariables()
    variables.read(line)
    #expect(variables.packageArchitectures == architectures)
  }
}
