import Foundation
import TestArchives
import TestFiles
import Testing

@testable import Feed

@Suite struct HostileArchiveTests {
  @Test(arguments: HostileArchive.all) func refuses(_ hostile: HostileArchive) throws {
    var tar = RawTar()
    tar.add("./ok", data: [1])
    hostile.build(&tar)
    let text = try refusal(of: RawArchive.ipk(data: tar.finished()))
    #expect(text.contains(hostile.rule), "\(text)")
    if let entry = hostile.entry {
      #expect(text.hasPrefix("package p: entry '\(entry)"), "\(text)")
    } else {
      #expect(text.contains("p.ipk"), "\(text)")
    }
  }

  /// What the rules must not hit.
  @Test func ordinaryArchivesPass() throws {
    var tar = RawTar()
    tar.add("./", type: "5")
    tar.add("./usr/", type: "5")
    tar.add("./usr/", type: "5")
    tar.add("./usr/bin/a", data: [1])
    tar.add("./usr/bin/", type: "5")
    tar.add("./usr/bin/b", type: "1", link: "./usr/bin/a")
    tar.add("./usr/bin/c", type: "1", link: "./usr/bin/b")
    tar.add("./bin", type: "2", link: "/usr/bin")
    tar.add("./..hidden", data: [1])
    tar.add("./a..", data: [1])
    #expect(try entries(of: RawArchive.ipk(data: tar.finished())) == 10)
  }

  @Test func numbersOfEntries() throws {
    var tar = RawTar()
    for index in 0..<20 { tar.add("file-\(index)", data: [UInt8](repeating: 1, count: 100_000)) }
    let ipk = RawArchive.ipk(data: tar.finished())
    #expect(try refusal(of: ipk) { $0.entries = 10 } == "package p: entry 'file-10' is refused: more than 10 entries")
    #expect(try refusal(of: ipk) { $0.bytes = 500_000 }.hasPrefix("package p: entry 'file-4' is refused: the package unpacks"))
    #expect(try refusal(of: ipk) { $0.file = 99_999 } == "package p: entry 'file-0' is refused: a file of more than 99999 bytes")
    #expect(try refusal(of: ipk) { $0.names = 50 } == "package p: entry 'file-8' is refused: names and attributes of more than 0 MiB")
  }

  @Test func scriptsOfAControlBomb() throws {
    var control = RawTar()
    control.add("./control", data: Array("Package: p\n".utf8))
    for index in 0..<10 { control.add("./s\(index)", data: [UInt8](repeating: 0, count: 10 << 20)) }
    let text = try refusal(
      of: try RawArchive.ipk(control: Packer.pack(control.finished(), "gzip"), named: "control.tar.gz", data: RawTar().finished()))
    #expect(text.contains("unpacks to more than 64 MiB"), "\(text)")
  }

  @Test func compressedTwice() throws {
    var tar = RawTar()
    tar.add("a")
    let text = try refusal(of: RawArchive.ipk(dataName: "data.tar.gz", data: try Packer.pack(try Packer.pack(tar.finished(), "gzip"), "xz")))
    #expect(text.contains("compressed more than once"), "\(text)")
  }

  func entries(of ipk: [UInt8]) throws -> Int {
    try withScratchDirectory { scratch in
      try write(ipk, to: scratch + "/p.ipk")
      var count = 0
      try Ipk(path: scratch + "/p.ipk").readData(package: "p") { _ in
        count += 1
        return nil
      }
      return count
    }
  }

  /// The refusal of a package whose control and data are both read.
  func refusal(of ipk: [UInt8], change: (inout IpkLimits) -> Void = { _ in }) throws -> String {
    try withScratchDirectory { scratch in
      try write(ipk, to: scratch + "/p.ipk")
      var limits = IpkLimits()
      change(&limits)
      let error = #expect(throws: FeedError.self) {
        let package = try Ipk(path: scratch + "/p.ipk")
        _ = try package.maintainerScripts()
        try package.readData(package: "p", limits: limits) { _ in { _ in } }
      }
      return error?.description ?? ""
    }
  }
}
