import Foundation
import TestFiles
import TestPeers
import Testing

/// What `preload`, `block inspect`, `block diff` and `block push` do with images of others, and with places that hold none.
@Suite(.serialized) struct ImageInputTests {
  static let layouts = Project.path + "/Tests/OCIImageTests/Fixtures/"

  struct Bench {
    private let scratch: ScratchDirectory
    var directory: String { scratch.path }

    /// `arch` goes into the disk image's device-type.json.
    init(arch: String? = "aarch64") throws {
      scratch = try ScratchDirectory()
      let made = try run(["\(Project.path)/Tests/PreloadTests/Fixtures/make-disk.sh", "disk.img", "mbr", "16", "resin-data"])
      guard made.status == 0 else { throw PeerError(made.errors) }
      guard let arch else { return }
      try Data(#"{"slug":"acme-board64","arch":"\#(arch)"}"#.utf8).write(to: URL(filePath: directory + "/device-type.json"))
      let copied = try run(["mcopy", "-i", "disk.img@@\(4 << 20)", "device-type.json", "::device-type.json"])
      guard copied.status == 0 else { throw PeerError(copied.errors) }
    }

    func run(_ arguments: [String]) throws -> Child.Ended {
      try Child(arguments, environment: SampleFarm.environment(home: directory), directory: directory).wait()
    }

    func blockfarm(_ arguments: String...) throws -> Child.Ended { try run([try SampleFarm.program("blockfarm")] + arguments) }
    func preload(_ place: String, _ more: [String] = []) throws -> Child.Ended {
      try run([try SampleFarm.program("blockfarm"), "preload", "--image", "disk.img", "--oci", place, "--output", "out.img"] + more)
    }

    /// The commands that need no registry, with one image.
    func locally(_ place: String) throws -> [(command: String, ended: Child.Ended)] {
      [
        ("preload", try preload(place)), ("inspect", try blockfarm("block", "inspect", place)),
        ("diff", try blockfarm("block", "diff", place, place)),
      ]
    }

    /// All commands with an image that none of them takes: no registry is asked then.
    func everywhere(_ place: String) throws -> [(command: String, ended: Child.Ended)] {
      try locally(place) + [("push", try blockfarm("block", "push", place, "127.0.0.1:1/acme:1"))]
    }

    func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: directory).sorted() }
  }

  func withBench(_ arch: String? = "aarch64", _ body: (Bench) throws -> Void) throws {
    try body(try Bench(arch: arch))
  }

  private func isPlain(_ text: String) -> Bool {
    !["DecodingError", "NSCocoaError", "Error Domain", "CodingKeys", "Debug description"].contains { text.contains($0) }
  }

  @Test(arguments: ["attestation", "without-config", "without-created-by"]) func imagesOfOthersAreTaken(_ layout: String) throws {
    try withBench { bench in
      for (command, ended) in try bench.locally(Self.layouts + layout) {
        #expect(ended.status == 0, "\(command): \(ended)")
        if layout == "attestation" { #expect(ended.errors.contains("left out: sha256:be322a696ca8 is an attestation"), "\(command): \(ended)") }
        #expect(isPlain(ended.errors), "\(command): \(ended)")
      }
    }
  }

  @Test func aConfigurationThatIsNotItsDigestIsRefusedEverywhere() throws {
    try withBench { bench in
      for (command, ended) in try bench.everywhere(Self.layouts + "other-config") {
        #expect(ended.status == 2 && ended.errors.contains("its content is not sha256:57bdd99f18ac"), "\(command): \(ended)")
      }
      #expect(try bench.files() == ["device-type.json", "disk.img"])
    }
  }

  @Test func aPlaceWithoutAnImageIsNamedEverywhere() throws {
    try withBench { bench in
      let empty = bench.directory + "/empty"
      try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
      try Data("text".utf8).write(to: URL(filePath: bench.directory + "/text"))
      try FileManager.default.createDirectory(atPath: bench.directory + "/broken", withIntermediateDirectories: true)
      try Data("{".utf8).write(to: URL(filePath: bench.directory + "/broken/index.json"))
      for (place, words) in [
        (empty, "\(empty) is no OCI image layout: it has no index.json; name the directory"), ("nowhere", "nothing is there"),
        ("text", "text is no docker-archive: it is not a tar file"), ("broken", "index.json is malformed: line 1 is not JSON"),
      ] {
        for (command, ended) in try bench.everywhere(place) {
          #expect(ended.status == 2 && ended.errors.contains(words) && isPlain(ended.errors), "\(command) \(place): \(ended)")
        }
      }
    }
  }

  @Test func anImageOfAnotherPlatformIsRefused() throws {
    try withBench("amd64") { bench in
      let ended = try bench.preload(Self.layouts + "without-config")
      #expect(ended.status == 2, "\(ended)")
      #expect(ended.errors.contains("container image v1 is for linux/arm64, the disk image disk.img is for linux/amd64"), "\(ended)")
      #expect(ended.errors.contains("device-type.json of acme-board64"), "\(ended)")
      #expect(try bench.preload(Self.layouts + "without-config", ["--platform", "linux/arm64"]).status == 0)
    }
    try withBench(nil) { bench in
      let ended = try bench.preload(Self.layouts + "without-config")
      #expect(ended.status == 0 && ended.errors.contains("does not say which platform it is for"), "\(ended)")
    }
  }

  /// A layout with these images: name and architecture.
  private func layout(_ bench: Bench, _ images: [(name: String?, architecture: String)]) throws {
    let list = images.map { "(\($0.name.map { "'\($0)'" } ?? "None"), '\($0.architecture)')" }.joined(separator: ",")
    let program = """
      import hashlib, io, json, os, tarfile
      os.makedirs("oci/blobs/sha256")
      def put(data, type, **more):
          digest = hashlib.sha256(data).hexdigest()
          open("oci/blobs/sha256/" + digest, "wb").write(data)
          return {"mediaType": type, "digest": "sha256:" + digest, "size": len(data), **more}
      buffer = io.BytesIO()
      with tarfile.open(fileobj=buffer, mode="w") as tar: tar.addfile(tarfile.TarInfo("file"))
      base, entries = "application/vnd.oci.image.", []
      for name, architecture in [\(list)]:
          config = {"architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(buffer.getvalue()).hexdigest()]}}
          manifest = {"schemaVersion": 2, "config": put(json.dumps(config).encode(), base + "config.v1+json"), "layers": [put(buffer.getvalue(), base + "layer.v1.tar")]}
          named = {"annotations": {"org.opencontainers.image.ref.name": name}} if name else {}
          entries.append(put(json.dumps(manifest).encode(), base + "manifest.v1+json", **named))
      json.dump({"schemaVersion": 2, "manifests": entries}, open("oci/index.json", "w"))
      """
    let made = try bench.run(["python3", "-c", program])
    guard made.status == 0 else { throw PeerError(made.errors) }
  }

  @Test func ofImagesForSeveralPlatformsATagIsAskedFor() throws {
    try withBench { bench in
      try layout(bench, [("arm", "arm64"), ("pc", "amd64")])
      let ended = try bench.preload("oci")
      #expect(ended.status == 2 && ended.errors.contains("has images of several platforms; name the ones to preload with --tag"), "\(ended)")
      #expect(ended.errors.contains("arm (linux/arm64), pc (linux/amd64)"), "\(ended)")
      #expect(try bench.preload("oci", ["--tag", "arm"]).status == 0)
      #expect(try bench.preload("oci", ["--tag", "pc"]).status == 2)
      let unknown = try bench.preload("oci", ["--tag", "amr"])
      #expect(unknown.status == 2 && unknown.errors.contains("no image 'amr' in oci; it has: arm, pc"), "\(unknown)")
    }
    try withBench(nil) { bench in
      try layout(bench, [("arm", "arm64"), ("pc", "amd64")])
      #expect(try bench.preload("oci").status == 2)
      #expect(try bench.preload("oci:pc").status == 0)
    }
  }

  @Test func anImageWithoutANameGetsOne() throws {
    try withBench { bench in
      try layout(bench, [(nil, "arm64"), ("V1/Übel", "arm64")])
      let ended = try bench.preload("oci")
      #expect(ended.status == 0 && ended.errors.contains("2 layers written") == false, "\(ended)")
      #expect(ended.errors.contains("has no name; on the device the image is called local/image-"), "\(ended)")
      #expect(ended.errors.contains("'V1/Übel' cannot be the name of a repository; on the device"), "\(ended)")
    }
  }

  @Test func archivesArePreloaded() throws {
    try withBench { bench in
      let copied = try bench.run([
        "skopeo", "--insecure-policy", "copy", "-q", "oci:\(Self.layouts)without-config:v1", "docker-archive:image.docker:acme/tools:1",
      ])
      #expect(copied.status == 0, "\(copied)")
      let ended = try bench.preload("image.docker")
      #expect(ended.status == 0 && ended.errors.contains("1 layer written"), "\(ended)")
    }
  }

  /// What is no regular file is never replaced.
  @Test(arguments: ["pipe", "directory", "link"]) func outputsReplaceOnlyFiles(_ kind: String) throws {
    try withBench { bench in
      try FileManager.default.createDirectory(atPath: bench.directory + "/made", withIntermediateDirectories: true)
      try FileManager.default.createDirectory(atPath: bench.directory + "/feed/all", withIntermediateDirectories: true)
      func put(_ place: String) throws {
        let command = ["pipe": ["mkfifo", place], "directory": ["mkdir", place], "link": ["ln", "-s", "/dev/null", place]][kind]
        #expect(try bench.run(command ?? []).status == 0)
      }
      let build = ["block", "build", "--feed", "feed", "--archs", "all", "--name", "acme", "--package", "x", "--platform", "linux/arm64"]
      let program = try SampleFarm.program("blockfarm")
      let commands: [(place: String, arguments: [String])] = [
        ("out.img", ["preload", "--image", "disk.img", "--oci", Self.layouts + "without-config", "--output", "out.img"]),
        ("made/acme.lock.json", build + ["--output", "made"]), ("one.docker", build + ["--docker-archive", "one.docker"]),
        ("one.lock.json", build + ["--docker-archive", "one.docker"]), ("made.spdx", build + ["--output", "other", "--sbom", "made.spdx"]),
        ("feed/all/Packages", ["feed", "index", "feed"]),
      ]
      for (place, arguments) in commands {
        try put(place)
        let ended = try bench.run([program] + arguments)
        #expect(ended.status == 2 && ended.errors.contains(place) && ended.errors.contains("exists and is a"), "\(place): \(ended)")
        #expect(ended.errors.contains("not a regular file; it is not replaced"), "\(place): \(ended)")
        _ = try bench.run(["rm", "-r", place])
      }
    }
  }

  @Test func layoutsAreWrittenToDirectoriesOnly() throws {
    try withBench { bench in
      try Data("mine".utf8).write(to: URL(filePath: bench.directory + "/taken"))
      let ended = try bench.blockfarm(
        "block", "build", "--feed", "feed", "--archs", "all", "--name", "acme", "--package", "x", "--platform", "linux/arm64", "--output", "taken")
      #expect(ended.status == 2 && ended.errors.contains("taken exists and is a file, not a directory; it is not replaced"), "\(ended)")
      #expect(try String(contentsOfFile: bench.directory + "/taken", encoding: .utf8) == "mine")
    }
  }
}
