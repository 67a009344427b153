import BuildModel
import Foundation
import TestArchives
import TestFiles
import Testing

@testable import Feed

@Suite struct FeedCheckTests {
  /// Everything that is wrong at once is reported, each thing under its rule.
  @Test func reportsEverything() throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(scratch)
      try feed.add("good", "1.0", "all")
      try feed.add("script", "1.0", "all", scripts: ["postinst"])
      try feed.add("short", "1.0", "all") { $0.dropLast() }
      try feed.add("changed", "1.0", "all") { bytes in bytes.enumerated().map { $0 == bytes.count - 700 ? $1 ^ 1 : $1 } }
      try feed.add("gone", "1.0", "all", isThere: false)
      try feed.add("link", "1.0", "all", isThere: false)
      try FileManager.default.createSymbolicLink(atPath: scratch + "/all/link_1.0_all.ipk", withDestinationPath: "/etc/passwd")
      try feed.add("other", "1.0", "all", architecture: "armv8a")
      try feed.add("liar", "1.0", "all", fields: "Package: somebody\nVersion: 2\nArchitecture: all\n")
      try feed.add("garbage", "1.0", "all", isDamagedFirst: true) { _ in [UInt8](repeating: 65, count: 100) }
      try feed.add("hostile", "1.0", "all", data: RawTar.of { $0.add("../x") })
      try feed.add("weak", "1.0", "all", sums: ["MD5Sum"])
      try feed.add("none", "1.0", "all", sums: [])
      try feed.add("twice", "1.0", "all")
      try feed.add("twice", "1.00", "all", data: RawTar.of { $0.add("other") })
      feed.append("Package: ../x\nVersion: 1\n\nnonsense\n\n", to: "all")
      try feed.writeIndexes()
      try write([1, 2], to: scratch + "/all/stray_1_all.ipk")
      try write([1, 2], to: scratch + "/armv8a/lonely_1_armv8a.ipk")
      try write([1, 2], to: scratch + "/any/Packages.gz")
      try write([], to: scratch + "/any/Packages")
      try write([1, 2], to: scratch + "/nativesdk/x_1_nativesdk.ipk")

      let report = try FeedCheck(root: scratch, architectures: ["all", "any", "armv8a", "cortexa72"], depth: .contents).run()
      func files(_ rule: FeedFinding.Rule) -> [String] { report.findings.filter { $0.rule == rule }.map { $0.package ?? $0.file }.sorted() }
      #expect(files(.scripts) == ["script"])
      #expect(files(.size) == ["short"])
      #expect(files(.digest) == ["changed"])
      #expect(files(.fileMissing) == ["gone"])
      #expect(files(.fileKind) == ["link"])
      #expect(files(.architecture) == ["other"])
      #expect(files(.control) == ["liar", "liar", "other"])
      #expect(files(.package) == ["garbage"])
      #expect(files(.content) == ["hostile"])
      #expect(files(.weakDigest) == ["weak"])
      #expect(files(.noDigest) == ["none"])
      #expect(files(.duplicate) == ["twice"])
      #expect(files(.stanza) == ["../x", "all/Packages"])
      #expect(files(.unlisted) == ["all/stray_1_all.ipk"])
      #expect(files(.indexMissing) == ["armv8a/Packages"])
      #expect(files(.compressedIndex) == ["any/Packages.gz"])
      #expect(files(.directory) == ["nativesdk"])
      #expect(report.packages == 14)
      #expect(report.architectures == ["all", "any", "armv8a"])
      #expect(report.errorCount == 17)
      #expect(report.counts.values.reduce(0, +) == report.findings.count)
      // The broken package is still refused when its content is not looked at, the hostile one not.
      let shallow = try FeedCheck(root: scratch, architectures: nil, depth: .packages).run()
      #expect(shallow.counts["package"] == 1 && shallow.counts["content"] == nil && shallow.counts["directory"] == nil)
      #expect(shallow.architectures == ["all", "any", "armv8a", "nativesdk"])
    }
  }

  @Test func soundFeedHasNoFindings() throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(scratch)
      for name in ["a", "b", "c"] { try feed.add(name, "1.0", name == "c" ? "armv8a" : "all") }
      try feed.writeIndexes()
      let report = try FeedCheck(root: scratch, architectures: ["all", "armv8a"], depth: .contents).run()
      #expect(report.findings == [])
      #expect(report.packages == 3)
      #expect(report.errorCount == 0)
    }
  }

  @Test func findingsAreBounded() throws {
    try withScratchDirectory { scratch in
      let text = String(repeating: "nonsense\n", count: 3000) + "\n"
      try write(Array(text.utf8), to: scratch + "/all/Packages")
      try write(Array(text.utf8), to: scratch + "/all/Packages.gz")
      let report = try FeedCheck(root: scratch, architectures: nil, depth: .files).run()
      #expect(report.findings.count == IndexParser.problemLimit)
      #expect(report.counts == ["stanza": 3000])
      #expect(report.errorCount == 3000)
    }
  }

  @Test func verifyNamesSeveral() throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(scratch)
      for index in 0..<15 { try feed.add("p\(index)", "1.0", "all", isThere: false) }
      try feed.writeIndexes()
      let error = #expect(throws: FeedError.self) { try PackageFeed(root: scratch, architectures: ["all"]).verify() }
      #expect(error?.description.contains("p9_1.0_all.ipk: is listed but not there; and 5 more") == true, "\(error?.description ?? "")")
    }
  }
}
