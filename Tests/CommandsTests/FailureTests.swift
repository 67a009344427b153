import Foundation
import Testing

/// Builds that fail are outcomes: named, with their log, and the others go on.
@Suite struct FailureTests {
  /// The line of the table that starts with the slug.
  private func row(_ slug: String, _ text: String) -> String {
    text.split(separator: "\n").first { $0.hasPrefix(slug + " ") && !$0.contains(" failed:") }.map(String.init) ?? ""
  }

  @Test func failedRecipe() throws {
    let farm = try SampleFarm(faults: ["fail=acme-gpu"])
    let ended = try farm.build("-m", "acme-board64", "-m", "acme-board7", "--slots", "2", "--blocks", "acme-gpu:acme-diagnostics")
    #expect(ended.status == 1, "\(ended.errors)")
    #expect(ended.output.contains("acme-board64 failed (repository): recipe acme-gpu-5.2-r0 failed in do_compile"))
    #expect(ended.output.contains("acme-gpu: the miniature was told to fail here"), "the last lines of the log")
    #expect(row("acme-board7", ended.output).contains("built"))
    let report = try farm.index().deviceType("acme-board64")
    let log = "\(farm.directory)/out/\(try #require(farm.requests().first))/acme-board64/\(report["log"].text ?? "?")"
    #expect(ended.output.contains("log: " + log))
    #expect(try String(contentsOfFile: log, encoding: .utf8).contains("the miniature was told to fail here"))
    // The recipe's own log is delivered as well.
    #expect(report["taskLogs"].items.compactMap { $0["path"].text } == ["logs/attempt-1.acme-gpu-5.2-r0.do_compile.log"])
    let taskLog = "\(farm.directory)/out/\(try #require(farm.requests().first))/acme-board64/logs/attempt-1.acme-gpu-5.2-r0.do_compile.log"
    #expect(try String(contentsOfFile: taskLog, encoding: .utf8).hasPrefix("DEBUG: Executing shell function do_compile\n"))
    #expect(report["outcome"].text == "failed")
    #expect(report["failure"].text == "build")
    #expect(report["blame"].text == "repository")
    #expect(report["attempts"].number == 1, "a failing recipe is not tried again")
    let other = try farm.index().deviceType("acme-board7")
    #expect(other["outcome"].text == "built")
    #expect(other["blocks"].items.compactMap { $0["name"].text } == ["acme-diagnostics"])
    #expect(other["images"].items.count == 1)
    #expect(try farm.run("logs", "acme-board64").output.contains("the miniature was told to fail here"))
    #expect(try farm.run("explain", "acme-board64").output.contains("acme-board64: failed (repository): recipe acme-gpu-5.2-r0 failed in do_compile"))
  }

  @Test func whatCannotBePlannedHasAStatus() throws {
    let farm = try SampleFarm()
    try farm.write("services: {journal: {image: __BUILD_OUTPUT__}}\n", to: "checkouts/balena-acme-arm/acme-board7.hostapp.yml")
    try farm.git("add", "acme-board7.hostapp.yml")
    try farm.commit()
    let ended = try farm.build("-m", "acme-board64", "-m", "acme-board7", "-m", "acme-retired")
    #expect(ended.status == 1, "\(ended)")
    let status = try JSON(farm.run("status", "--json").output)["tasks"].items
    #expect(status.compactMap { $0["slug"].text } == ["acme-board64", "acme-board7", "acme-retired"])
    #expect(status.compactMap { $0["state"].text } == ["built", "failed", "skipped"])
    #expect(status.compactMap { $0["blame"].text } == ["repository"])
    let explained = try farm.run("explain", "acme-board7").output
    #expect(explained.hasPrefix("acme-board7: failed (repository): "))
    // There is no console, and the reason says why.
    let logs = try farm.run("logs", "acme-board7")
    let request = try #require(farm.requests().first)
    #expect(logs.status == 2)
    #expect(
      logs.errors
        == "blockfarm: there is no log of acme-board7: no attempt of it was begun in request \(request); "
        + explained.dropFirst("acme-board7: ".count))
  }

  @Test(arguments: ["lie=1", "lie=quiet"]) func lyingWrapper(_ lie: String) throws {
    let farm = try SampleFarm(faults: ["fail=acme-diag-tools", lie])
    let ended = try farm.build("-m", "acme-board7", "--blocks", "acme-diagnostics")
    #expect(ended.status == 1, "\(ended)")
    #expect(row("acme-board7", ended.output).contains("failed"))
    #expect(try farm.index().deviceType("acme-board7")["failure"].text == "build")
    if lie == "lie=1" { #expect(ended.output.contains("recipe acme-diag-tools-1.4-r0 failed in do_compile")) }
  }

  /// An object that cannot be read shows when the bundle is made: the repository's fault, told once, and no host's.
  @Test func damagedObject() throws {
    let farm = try SampleFarm(["arm", "x86"])
    try farm.write(String((0..<4000).map { _ in "abcdefghijklmnopqrstuvwxyz".randomElement() ?? "x" }), to: "checkouts/balena-acme-arm/large.txt")
    try farm.git("add", "--all")
    try farm.commit()
    let object = try farm.git("rev-parse", "HEAD:large.txt").trimmingCharacters(in: .whitespacesAndNewlines)
    let file = "\(farm.directory)/checkouts/balena-acme-arm/.git/objects/\(object.prefix(2))/\(object.dropFirst(2))"
    let bytes = try Data(contentsOf: URL(filePath: file))
    try FileManager.default.removeItem(atPath: file)
    try bytes.prefix(bytes.count / 2).write(to: URL(filePath: file))
    let ended = try farm.build("-m", "acme-board7", "-m", "acme-pc", "--slots", "2")
    #expect(ended.status == 1, "\(ended)")
    #expect(row("acme-pc", ended.output).contains("built"), "\(ended.output)")
    let report = try farm.index().deviceType("acme-board7")
    #expect(report["attempts"].number == 1 && report["failure"].text == "rejected", "\(ended.output)")
    #expect(report["reason"].text?.hasPrefix("repository ") == true && report["reason"].text?.contains("git bundle: ") == true, "\(ended.output)")
    #expect(!ended.errors.contains("tried again") && !ended.errors.contains("drained"), "\(ended.errors)")
    // Any name of a device type will do.
    #expect(try farm.run("explain", "acme-x86-64").output.contains("acme-pc"))
    #expect(try farm.run("explain", "acme-bord7").errors.contains("known: acme-board7"))
  }

  @Test func missingPackage() throws {
    let farm = try SampleFarm(faults: ["missing-package=acme-wireless-a1"])
    let ended = try farm.build("-m", "acme-board7", "--blocks", "acme-wireless")
    #expect(ended.status == 1, "\(ended)")
    let reason = try #require(farm.index().deviceType("acme-board7")["reason"].text)
    #expect(reason.contains("block acme-wireless: package 'acme-wireless-a1' is not in the feed; nearest: acme-wireless-a2"), "\(reason)")
    #expect(ended.output.contains(reason))
  }

  @Test func corruptPackage() throws {
    let farm = try SampleFarm(faults: ["corrupt-ipk=acme-diag-data"])
    let ended = try farm.build("-m", "acme-board7", "--blocks", "acme-diagnostics")
    #expect(ended.status == 1, "\(ended)")
    let reason = try #require(farm.index().deviceType("acme-board7")["reason"].text)
    #expect(reason.contains("acme-diag-data_3.0-r0_all.ipk: its sha256 is not the index's"))
  }

  @Test func imageWithoutDataPartition() throws {
    let farm = try SampleFarm(faults: ["no-data-partition=1"])
    let ended = try farm.build("-m", "acme-board7", "--blocks", "acme-diagnostics")
    #expect(ended.status == 1, "\(ended)")
    let reason = try #require(farm.index().deviceType("acme-board7")["reason"].text)
    #expect(reason.contains("has no partition labelled resin-data or balena-data"))
    #expect(reason.contains("labels found: resin-boot, resin-rootA, resin-rootB, resin-state"))
    #expect(reason.contains("balena-image-acme-board7.balenaos-img"), "names the image, not a file of the store")
  }
}
