import Blocks
import BuildModel
import Feed
import Foundation
import TestFiles
import Testing

/// Dockerfiles: which programs they run, the pre-defined one, and what is put beside them.
@Suite struct DockerfileTests {
  @Test(
    arguments: [
      ("FROM scratch\nCOPY a /a\n", []), ("FROM a\nRUN x\n", [.target]), ("from a\n  run x\n", [.target]),
      ("FROM --platform=$BUILDPLATFORM a AS b\nRUN x\nFROM scratch\nCOPY --from=b / /\n", [.host]),
      ("FROM --platform=${BUILDPLATFORM} a\nRUN x\nFROM b\nRUN y", [.host, .target]),
      ("FROM --platform=linux/amd64 a\nRUN x", [.named("linux/amd64")]),
      ("FROM --platform=$TARGETPLATFORM a\nRUN x", [.target]), ("FROM --platform=$OTHER a\nRUN x", [.target]),
      ("# RUN x\nFROM a\n#RUN y\nCOPY a \\\n RUN\n", []), ("# escape=`\nFROM a\nCOPY a `\n  RUN x\n", []), ("FROM a\nENV A=b\\\n\nRUN x", []),
      ("FROM a\nLABEL a=b \\\n# note\n  c=d\nRUN x", [.target]), ("FROM a\r\nRUN x\r\n", [.target]), ("RUNNER\nRUN", [.target]), ("", []),
    ] as [(String, Set<DockerfileStages.Place>)])
  func stagesWithSteps(_ text: String, _ expected: Set<DockerfileStages.Place>) { #expect(DockerfileStages(text).runningPlaces == expected) }

  @Test func thePredefinedOne() throws {
    var spec = try TestFeed.spec(["base-files", "tools"])
    spec.labels["dollar"] = "$HOME\nx"
    let made = try DockerfileOfPackages(
      spec, packages: spec.packages, architectures: ["all", "cortexa72"], baseImage: "registry.example/opkg@sha256:00",
      host: Architecture.amd64.platform)
    #expect(
      made.dockerfile == #"""
        FROM --platform=linux/amd64 registry.example/opkg@sha256:00 AS packages
        COPY ipk /ipk
        COPY opkg.conf /etc/opkg/blockfarm.conf
        WORKDIR /hostapp
        RUN ["opkg", "-f", "/etc/opkg/blockfarm.conf", "-o", "/hostapp", "--volatile-cache", "update"]
        RUN ["opkg", "-f", "/etc/opkg/blockfarm.conf", "-o", "/hostapp", "--volatile-cache", "--nodeps", "--prefer-arch-to-version", "install", "base-files", "tools"]
        RUN ["rm", "-rf", "/hostapp/.blockfarm-opkg", "/hostapp/var/lib/opkg", "/hostapp/var/cache/opkg", "/hostapp/var/run/opkg.lock"]
        RUN ["sh", "-c", "rmdir /hostapp/var/run /hostapp/var/cache 2>/dev/null; true"]
        FROM scratch
        COPY --from=packages /hostapp /
        LABEL "dollar"="\$HOME x"
        LABEL "io.balena.image.class"="overlay"
        LABEL "io.balena.image.store"="data"
        LABEL "note"="a/b \"c\" ü"

        """#)
    #expect(
      made.configuration == """
        arch all 1
        arch cortexa72 6
        src blockfarm-all file:/ipk/all
        src blockfarm-cortexa72 file:/ipk/cortexa72
        option lists_dir /.blockfarm-opkg/lists
        option info_dir /.blockfarm-opkg/info
        option status_file /.blockfarm-opkg/status
        option cache_dir /.blockfarm-opkg/cache
        option lock_file /.blockfarm-opkg/lock

        """)
  }

  /// opkg up to 0.6 does not find a name that is provided with a version.
  @Test func thePredefinedOneInstallsPackagesByTheirOwnNames() throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(in: scratch, description: ProvidedPackageTests.description(ProvidedPackageTests.renamed))
      let spec = try TestFeed.spec(["hello-lib", "tools"])
      let selection = try PackageSelection(spec, from: PackageFeed(root: feed.root, architectures: ["all"]))
      #expect(selection.items.map(\.name.text) == ["libhello1", "tools"])
      let made = try DockerfileOfPackages(
        spec, packages: selection.items.map(\.name), architectures: ["all"], baseImage: "opkg", host: Architecture.amd64.platform)
      #expect(made.dockerfile.contains(#""install", "libhello1", "tools"]"#))
    }
  }

  @Test(arguments: ["", "a b", "a\nRUN x", "$EVIL", "--platform=x", String(repeating: "a", count: 2000)])
  func baseImagesAreChecked(_ image: String) throws {
    #expect(throws: BlocksError.self) {
      try DockerfileOfPackages(
        TestFeed.spec(["tools"]), packages: [PackageName("tools")], architectures: ["all"], baseImage: image, host: Architecture.amd64.platform)
    }
  }

  @Test func theFeedLiesInTheContext() throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(in: scratch)
      let own = scratch + "/own"
      try FileManager.default.createDirectory(atPath: own + "/sub", withIntermediateDirectories: true)
      try "FROM scratch\n".write(toFile: own + "/Dockerfile", atomically: true, encoding: .utf8)
      try "x".write(toFile: own + "/sub/file", atomically: true, encoding: .utf8)
      try FileManager.default.createSymbolicLink(atPath: own + "/sub/link", withDestinationPath: "/etc/hostname")
      let context = try DockerfileContext(at: scratch + "/context", block: BlockName("b"))
      #expect(try context.add(directory: own) == "FROM scratch\n")
      try context.add(feed: feed.root, architectures: ["all", "cortexa72"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: context.path).sorted() == ["Dockerfile", "ipk", "sub"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: context.path + "/ipk").sorted() == ["all", "cortexa72"])
      #expect(FileManager.default.contentsEqual(atPath: context.path + "/ipk/all/Packages", andPath: feed.root + "/all/Packages"))
      // A link stays a link: what it names on the host does not come in.
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: context.path + "/sub/link") == "/etc/hostname")
      // Build steps may write to the context: the feed's files must not be the same ones.
      func number(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path + "/all/Packages")[.systemFileNumber] as? Int)
      }
      let numbers = (try number(context.path + "/ipk"), try number(feed.root))
      #expect(numbers.0 != numbers.1)
    }
  }

  @Test func directoriesThatCannotBeUsedAreRefused() throws {
    try withScratchDirectory { scratch in
      func refused(_ name: String, _ word: String, _ make: (String) throws -> Void) throws {
        let own = "\(scratch)/\(name)"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        try make(own)
        let context = try DockerfileContext(at: "\(scratch)/context-\(name)", block: BlockName("b"))
        let error = #expect(throws: BlocksError.self) { try context.add(directory: own) }
        #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
      }
      try refused("empty", "no regular file 'Dockerfile'") { _ in }
      try refused("link", "no regular file 'Dockerfile'") {
        try FileManager.default.createSymbolicLink(atPath: $0 + "/Dockerfile", withDestinationPath: "/etc/passwd")
      }
      try refused("taken", "an entry 'ipk'") {
        try "FROM scratch".write(toFile: $0 + "/Dockerfile", atomically: true, encoding: .utf8)
        try "x".write(toFile: $0 + "/ipk", atomically: true, encoding: .utf8)
      }
      try refused("pipe", "'pipe' in its directory is no file") { mkfifo($0 + "/pipe", 0o600) }
      try refused("large", "larger than 1 MiB") { try Data(count: 1 << 21).write(to: URL(filePath: $0 + "/Dockerfile")) }
    }
  }
}
