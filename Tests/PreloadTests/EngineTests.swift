import Foundation
import TestFiles
import TestPeers
import Testing

@testable import Preload

/// The judge of a preloaded partition: Debian's dockerd, started on it.
@Suite(.serialized) struct EngineTests {
  @Test(.enabled(if: isRoot, "mounting needs root"), arguments: ["mbr", "gpt"])
  func dockerdWorksWithWhatWasPreloaded(layout: String) throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", layout, mebibytes: 48)
      let images = try Fixture.images(scratch + "/oci", mebibytes: 6)
      _ = try Preloader.preload(image: scratch + "/image", images: images, into: scratch + "/out", scratch: scratch, time: testTime)
      try compare(scratch + "/out", with: scratch + "/oci", images, scratch: scratch)
      try expectClean(scratch + "/out")
    }
  }

  @Test(.enabled(if: isRoot, "mounting needs root"))
  func dockerdWorksAfterASecondPreloadIntoAStoreThatItUsed() throws {
    try withScratchDirectory { scratch in
      try Fixture.disk(scratch + "/image", "mbr", mebibytes: 48)
      let images = try Fixture.images(scratch + "/oci", mebibytes: 2)
      let out = scratch + "/out"
      _ = try Preloader.preload(image: scratch + "/image", images: [images[0]], into: out, scratch: scratch, time: testTime)
      let data = try DataPartition(in: DiskFile(out, .read)).partition
      // The daemon leaves directories of its own and the kernel an index in the ones that grew.
      try withMountedData(out, at: data.start, size: data.size, scratch: scratch) { mount in
        for index in 0..<400 {
          try FileManager.default.createDirectory(atPath: "\(mount)/docker/overlay2/l/unused-\(index)", withIntermediateDirectories: true)
        }
        try withDockerDaemon(dataRoot: mount + "/docker") { engine in _ = try engine.run("images") }
      }
      _ = try Preloader.preload(image: out, images: images, into: scratch + "/second", scratch: scratch, time: testTime)
      try compare(scratch + "/second", with: scratch + "/oci", images, scratch: scratch)
      try expectClean(scratch + "/second")
    }
  }

  /// Everything that a device does with a store, and every entry against what `docker load` makes of the same images.
  private func compare(_ disk: String, with layout: String, _ images: [PreloadImage], scratch: String) throws {
    let data = try DataPartition(in: DiskFile(disk, .read)).partition
    let theirs = scratch + "/theirs-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: theirs, withIntermediateDirectories: true)
    try withDockerDaemon(dataRoot: theirs) { engine in
      for tag in ["one", "two"] {
        let archive = "\(scratch)/\(tag).docker"
        try? FileManager.default.removeItem(atPath: archive)
        try Tool.run(["skopeo", "copy", "oci:\(layout):\(tag)", "docker-archive:\(archive):local/block:\(tag)"])
        try engine.run("load", "-i", archive)
        try export(tag, engine, to: "\(scratch)/theirs-\(tag).tar")
      }
    }
    try withMountedData(disk, at: data.start, size: data.size, scratch: scratch) { mount in
      // Before the daemon adds containers of its own.
      let trees = try Tool.end(of: ["\(Fixture.directory)/compare-stores.py", mount + "/docker", theirs])
      #expect(trees.status == 0, "\(trees.text)")
      try withDockerDaemon(dataRoot: mount + "/docker") { engine in
        let listed = try engine.run("images", "--digests", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.Digest}} {{.ID}}")
        for (image, tag) in zip(images, ["one", "two"]) {
          let id = try ImageRecord(image).id
          #expect(listed.contains("local/block:\(tag) \(image.manifestDigest) \(id)"), "\(listed)")
          let label = try engine.run("inspect", "--format", "{{index .Config.Labels \"blockfarm.test\"}}", "local/block:\(tag)")
          #expect(label == tag + "\n")
          let digests = try engine.run("inspect", "--format", "{{.RepoDigests}}", "local/block:\(tag)")
          #expect(digests == "[local/block@\(image.manifestDigest)]\n")
          // `save` puts the layers' tars together again and checks every file on the way.
          try engine.run("save", "-o", "\(scratch)/saved-\(tag)", "local/block:\(tag)")
          #expect(try Tool.run(["skopeo", "inspect", "--config", "docker-archive:\(scratch)/saved-\(tag)"]).contains(tag))
          let saved = try Tool.run(["tar", "-xOf", "\(scratch)/saved-\(tag)", "manifest.json"])
          for path in saved.matches(of: /[0-9a-f]{64}\/layer\.tar/).map({ String($0.0) }) {
            let sum = try Tool.run(["sh", "-c", "tar -xOf \(scratch)/saved-\(tag) \(path) | sha256sum"]).prefix(64)
            #expect(image.layers.contains { $0.diffID.hex == sum }, "layer \(path) was saved as \(sum)")
          }
          try export(tag, engine, to: "\(scratch)/ours-\(tag).tar")
          let same = try Tool.end(of: ["\(Fixture.directory)/compare-tars.py", "\(scratch)/ours-\(tag).tar", "\(scratch)/theirs-\(tag).tar"])
          #expect(same.status == 0, "\(same.text)")
        }
        // Removing one image keeps the layer that the other one shares.
        try engine.run("rmi", "local/block:one")
        try engine.run("save", "-o", "\(scratch)/saved-two", "local/block:two")
      }
    }
  }

  private func export(_ tag: String, _ engine: DockerDaemon, to path: String) throws {
    let container = try engine.run("create", "--network", "none", "local/block:\(tag)", "none").trimmingCharacters(in: .whitespacesAndNewlines)
    try engine.run("export", "-o", path, container)
    try engine.run("rm", container)
  }
}
