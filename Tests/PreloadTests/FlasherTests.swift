import Foundation
import TestFiles
import TestPeers
import Testing

@testable import Preload

@Suite struct FlasherTests {
  /// A flasher whose root file system holds the files of `opt` (file name: what to copy there).
  private func flasher(_ scratch: String, _ opt: [String: String]) throws -> String {
    let path = scratch + "/flasher"
    try FileManager.default.createDirectory(atPath: path + ".root/opt", withIntermediateDirectories: true)
    for (name, source) in opt { try Tool.run(["cp", "--sparse=always", source, "\(path).root/opt/\(name)"]) }
    try Fixture.disk(path, "gpt", label: "flash-data", prefix: "flash")
    try FileManager.default.removeItem(atPath: path + ".root")
    return path
  }

  private func reason(_ flasher: String, _ images: [PreloadImage], inner: String? = nil, scratch: String) -> String {
    do throws(PreloadError) {
      _ = try Preloader.preload(image: flasher, images: images, into: scratch + "/out", scratch: scratch, flasherInner: inner, time: testTime)
      return "no error"
    } catch { return error.description }
  }

  @Test func theInnerImageIsTakenOutAndPreloaded() throws {
    try withScratchDirectory { scratch in
      let inner = scratch + "/inner"
      try Fixture.disk(inner, "mbr")
      let images = try Fixture.images(scratch + "/oci")
      let flasher = try flasher(scratch, ["balena-image-acme.balenaos-img": inner])
      let before = try sha256(flasher)
      let report = try Preloader.preload(image: flasher, images: images, into: scratch + "/out", scratch: scratch, time: testTime)
      #expect(report.flasherInner == "/opt/balena-image-acme.balenaos-img")
      #expect(try sha256(flasher) == before)
      // What comes out is what preloading the inner image by itself gives.
      _ = try Preloader.preload(image: inner, images: images, into: scratch + "/direct", scratch: scratch, time: testTime)
      #expect(try sha256(scratch + "/out") == sha256(scratch + "/direct"))
      try expectClean(scratch + "/out")
    }
  }

  @Test func whatCannotBeTakenOutIsSaid() throws {
    try withScratchDirectory { scratch in
      let inner = scratch + "/inner"
      try Fixture.disk(inner, "mbr")
      let images = try Fixture.images(scratch + "/oci")
      var path = try flasher(scratch, ["one.balenaos-img": inner, "two.img": inner])
      #expect(reason(path, images, scratch: scratch).hasSuffix("has several images in /opt: name one; found: one.balenaos-img, two.img"))
      #expect(reason(path, images, inner: "three.img", scratch: scratch).hasSuffix("/opt/three.img does not exist; found: one.balenaos-img, two.img"))
      #expect(reason(path, images, inner: "two.img", scratch: scratch) == "no error")
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.removeItem(atPath: scratch + "/out")
      path = try flasher(scratch, ["one.balenaos-img": inner, "one.balenaos-img.sig": "/etc/hostname"])
      #expect(reason(path, images, scratch: scratch).contains("signed for secure boot"))
      try FileManager.default.removeItem(atPath: path)
      path = try flasher(scratch, ["readme": "/etc/hostname"])
      #expect(reason(path, images, scratch: scratch).hasSuffix("has no image in /opt; found: readme"))
      #expect(try files(in: scratch) == ["flasher", "inner", "oci"])
    }
  }
}
