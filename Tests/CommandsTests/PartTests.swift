import Foundation
import TestPeers
import Testing

/// Builds of less than everything.
@Suite struct PartTests {
  /// Blocks without hostapp and image; then the same blocks from the feed that the first build left, without any bitbake.
  @Test func blocksAloneAndFromAFeedThatExists() throws {
    let farm = try SampleFarm()
    let selection = ["-m", "acme-board7", "--blocks", "acme-diagnostics", "--only", "blocks", "--json"]
    let first = try farm.start(["build", "--local"] + selection).wait()
    #expect(first.status == 0, "\(first.errors)")
    let built = try JSON(first.output).deviceType("acme-board7")
    #expect(built["images"].items.isEmpty)
    #expect(!built["steps"].items.contains { $0["name"].text == "hostapp" })
    let name = "deploy-jenkins/acme-board7-acme-diagnostics-6.1.24+rev3"
    let paths = Set(built["artifacts"].items.compactMap { $0["path"].text })
    #expect(paths.isSuperset(of: [name + ".docker", name + ".lock.json", name + ".spdx.json"]), "\(paths)")

    let feed = "\(farm.directory)/out/\(try #require(try JSON(first.output)["request"].text))/acme-board7/deploy-jenkins/ipk"
    let other = try SampleFarm()
    let architectures = ["--archs", "all any noarch cortexa7t2hf-neon-vfpv4 acme_board7"]
    let second = try other.start(["build", "--local", "--feed", feed] + architectures + selection).wait()
    #expect(second.status == 0, "\(second.errors)")
    let fed = try JSON(second.output).deviceType("acme-board7")
    #expect(fed["blocks"].items.first?["dockerDigest"].text == built["blocks"].items.first?["dockerDigest"].text)
    #expect(!second.errors.contains("bitbake"), "\(second.errors)")

    // The same over http, fetched by the coordinator and handed to the worker.
    try withFileServer(over: feed) { server in
      let remote = try SampleFarm()
      let third = try remote.start(["build", "--local", "--feed", server.url] + architectures + selection).wait()
      #expect(third.status == 0, "\(third.errors)")
      let sent = try JSON(third.output).deviceType("acme-board7")
      #expect(sent["blocks"].items.first?["dockerDigest"].text == built["blocks"].items.first?["dockerDigest"].text)
    }

    // One package of the feed is not what its index says: nothing is started.
    let listing = try Child(["find", feed, "-name", "*diag*.ipk"], environment: SampleFarm.environment(home: "/"), directory: "/").wait().output
    let package = try #require(listing.split(separator: "\n").map(String.init).first)
    let bytes = try Data(contentsOf: URL(filePath: package))
    try FileManager.default.removeItem(atPath: package)
    try Data(bytes.dropLast()).write(to: URL(filePath: package))
    let refused = try other.start(["build", "--local", "--feed", feed] + architectures + selection).wait()
    #expect(refused.status == 2 && refused.errors.contains("its index says"), "\(refused)")
  }

  @Test func imageAlone() throws {
    let farm = try SampleFarm()
    let ended = try farm.start(["build", "--local", "-m", "acme-board7", "--blocks", "all", "--only", "image", "--json"]).wait()
    #expect(ended.status == 0, "\(ended.errors)")
    let report = try JSON(ended.output).deviceType("acme-board7")
    #expect(report["blocks"].items.isEmpty && !report["images"].items.isEmpty)
    #expect(!report["steps"].items.contains { $0["name"].text == "feed" })
  }

  @Test func feedNeedsAnOrder() throws {
    let farm = try SampleFarm()
    let ended = try farm.start(["build", "--local", "-m", "acme-board7", "--feed", "."]).wait()
    #expect(ended.status == 2 && ended.errors.contains("--archs or --tune"), "\(ended)")
  }
}
