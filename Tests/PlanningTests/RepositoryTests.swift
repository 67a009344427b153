import BuildModel
import Foundation
import Processes
import TestFiles
import Testing

@testable import Planning

@Suite struct RepositoryTests {
  @Test(arguments: [true, false])
  func readsTheVersionFromTheTag(_ isAnnotated: Bool) throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch, tag: nil)
      if isAnnotated {
        try repository.git("tag", "--annotate", "--message", "release", "v6.1.24+rev3")
      } else {
        try repository.git("tag", "v6.1.24+rev3")
      }
      try repository.git("tag", "alexgg/EXT-A")
      let read = try repository.read()
      #expect(read.version.text == "6.1.24+rev3" && read.isRelease)
      let head = try repository.head
      #expect(read.checkout.root.commit.hex == head && read.checkout.root.tags == ["v6.1.24+rev3"])
      #expect(read.listing.deviceTypes.map(\.slug.text) == ["acme"] && !read.checkout.isDirty && read.notices.isEmpty)
      #expect(abs(Double(read.commitTime) - Date().timeIntervalSince1970) < 600)
      #expect(read.locations == [.init(mirror: read.checkout.root.mirror, path: repository.path)])
    }
  }

  @Test func aCommitAfterTheTagIsNoRelease() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch)
      try repository.git("checkout", "--quiet", "--detach")
      try repository.write("README.md", "later")
      try repository.commit()
      let read = try repository.read()
      #expect(read.version.text == "6.1.24+rev3" && !read.isRelease)
    }
  }

  /// The nearest tag counts, of whichever kind: asking for annotated ones alone would give an older, released version.
  @Test(arguments: [true, false])
  func theNearestTagCounts(_ isAnnotated: Bool) throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch, tag: nil)
      func tag(_ name: String, annotated: Bool) throws {
        if annotated { try repository.git("tag", "--annotate", "--message", "release", name) } else { try repository.git("tag", name) }
      }
      try tag("v2022.01.0", annotated: !isAnnotated)
      try repository.write("a", "1")
      try repository.commit()
      try tag("v2022.1.1", annotated: isAnnotated)
      let release = try repository.read()
      #expect(release.version.text == "2022.1.1" && release.isRelease && release.version.isESR)
      try repository.git("tag", "alexgg/EXT-B")
      try repository.write("a", "2")
      try repository.commit()
      let later = try repository.read()
      #expect(later.version.text == "2022.1.1" && !later.isRelease)
      try repository.git("checkout", "--quiet", "v2022.01.0")
      let padded = try repository.read()
      #expect(padded.version.text == "2022.01.0" && padded.isRelease && padded.version.isESR && padded.checkout.root.tags == ["v2022.01.0"])
    }
  }

  @Test func tellsWhereTheStampDisagreesWithTheTag() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch, tag: nil)
      try repository.write("VERSION", "6.1.24+rev2\n")
      try repository.commit()
      try repository.git("tag", "v6.1.24+rev3")
      #expect(try repository.read().notices == ["the file VERSION says '6.1.24+rev2', and the tag 6.1.24+rev3: images will carry the former"])
      // Between two releases it names the next one.
      try repository.write("VERSION", "6.1.24+rev4")
      try repository.commit()
      #expect(try repository.read().notices.isEmpty)
    }
  }

  @Test(arguments: ["vv2.41.0+rev2", "2.0.0-rc4.rev1", "v2.0.0.rev1", "v2019.07.0-test", "v2.73.1+rev1r10", "v2022.1.1"])
  func readsIrregularTags(_ tag: String) throws {
    try withScratchDirectory { scratch in
      let read = try TemporaryRepository.sample(in: scratch, tag: tag).read()
      #expect(read.version == OSVersion(tag) && read.isRelease)
    }
  }

  @Test func refusesWhatHasNoVersion() throws {
    try withScratchDirectory { scratch in
      let untagged = try TemporaryRepository.sample(in: scratch, tag: nil)
      try untagged.git("tag", "alexgg/EXT-A")
      try untagged.checkError("repository-no-tag")
      try TemporaryRepository.sample("odd", in: scratch, tag: "v2-experiment").checkError("repository-odd-tag")
      let empty = try TemporaryRepository("empty", in: scratch)
      try empty.write("acme.coffee", TemporaryRepository.manifest(slug: "acme"))
      try empty.checkError("repository-no-commit")
      var elsewhere = untagged.source
      elsewhere.path = scratch
      #expect(throws: PlanningError.self) { try RepositoryReader.read(elsewhere) }
    }
  }

  @Test func refusesADirtyTree() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch)
      // What the build itself leaves behind is ignored by the repository.
      try repository.write("build/tmp/x", "x")
      #expect(try repository.read().isRelease)
      try repository.write("acme.coffee", TemporaryRepository.manifest(slug: "acme", arch: "amd64"))
      try repository.write("new file", "x")
      try repository.checkError("repository-dirty")
      let read = try repository.read(allowDirty: true)
      #expect(read.checkout.isDirty && !read.isRelease)
    }
  }

  /// The build makes `<file>.json` of `<file>.coffee` anew, whatever lies there.
  @Test(arguments: ["not JSON", #"{"slug": "acme", "arch": "amd64", "yocto": {"machine": "acme", "deployArtifact": "x"}}"#])
  func doesNotReadJSONBesideItsCoffee(_ text: String) throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch)
      try repository.write("acme.json", text)
      let read = try repository.read()
      #expect(read.listing.deviceTypes.map(\.arch) == [.aarch64] && read.listing.brokenManifests.isEmpty && read.notices.isEmpty)
    }
  }

  /// A JSON file alone is a manifest if git knows it: what an earlier build made is none.
  @Test func readsJSONAloneWhereGitKnowsIt() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch, tag: nil)
      let json = #"{"slug": "old", "arch": "amd64", "yocto": {"machine": "old", "deployArtifact": "x"}}"#
      try repository.write("old.json", json)
      #expect(try RepositoryReader.list(repository.source).deviceTypes.map(\.slug.text) == ["acme"])
      try repository.write("broken.json", "{")
      try repository.git("add", "--force", "old.json", "broken.json")
      let listing = try RepositoryReader.list(repository.source)
      #expect(listing.deviceTypes.map(\.slug.text) == ["acme", "old"] && listing.brokenManifests.isEmpty)
      #expect(listing.notices == ["\(repository.path)/broken.json:1 is not used: it is not JSON: a key expected, the document ends"])
    }
  }

  /// The base is where the line left the main one; an odd tag nearer to the line's own commits does not count.
  @Test(arguments: ["origin/master", "master", "none"])
  func readsWhatExtendedSupportIsBasedOn(_ mainLine: String) throws {
    try withScratchDirectory { scratch in
      let layer = try TemporaryRepository("meta-balena", in: scratch)
      for (text, tag) in [("1", "v2.112.0"), ("2", "v2.113.5+rev1"), ("3", "v2.114.0")] {
        try layer.write("a", text)
        try layer.commit()
        try layer.git("tag", tag)
      }
      try layer.git("checkout", "--quiet", "-b", "2023.1.x", "v2.113.5+rev1")
      try layer.write("a", "4")
      try layer.commit()
      try layer.git("tag", "v2023.1.0")
      let repository = try TemporaryRepository.sample(in: scratch, tag: nil)
      try repository.git("submodule", "--quiet", "add", layer.path, "layers/meta-balena")
      try repository.commit()
      try repository.git("tag", "v2023.1.0")
      let inner = TemporaryRepository(path: repository.path + "/layers/meta-balena", name: "inner")
      if mainLine == "master" { try inner.git("branch", "master", "v2.114.0") }
      if mainLine != "origin/master" { try inner.git("update-ref", "-d", "refs/remotes/origin/master") }
      let read = try repository.read()
      #expect(read.baseVersion?.text == (mainLine == "none" ? nil : "2.113.5"))
      #expect(read.notices.map { $0.contains("has no branch master or main") } == (mainLine == "none" ? [true] : []), "\(read.notices)")
      // Another version is based on nothing.
      try repository.git("tag", "--delete", "v2023.1.0")
      try repository.git("tag", "v2.114.0+rev1")
      #expect(try repository.read().baseVersion == nil)
    }
  }

  @Test func readsTheContractOfItsReleases() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch)
      #expect(try repository.read().releaseContract == nil)
      try repository.write("balena.yml", "name: Acme OS\ntype: sw.block\nprovides:\n  - {type: sw.os, slug: balenaos}\n")
      try repository.commit()
      let contract = try #require(try repository.read().releaseContract)
      #expect(contract["type"]?.text == "sw.block" && contract["name"]?.text == "Acme OS")
      try repository.write("balena.yml", "name: [")
      try repository.commit()
      let error = #expect(throws: PlanningError.self) { try repository.read() }
      #expect("\(error.map { "\($0)" } ?? "")".contains("balena.yml"))
    }
  }

  @Test func readsSubmodules() throws {
    try withScratchDirectory { scratch in
      let inner = try TemporaryRepository("inner", in: scratch)
      try inner.write("a", "1")
      try inner.commit()
      let layer = try TemporaryRepository("layer", in: scratch)
      try layer.git("submodule", "--quiet", "add", "../inner", "tests/inner")
      try layer.commit()
      let repository = try TemporaryRepository.sample(in: scratch, tag: nil)
      try repository.git("submodule", "--quiet", "add", layer.path, "layers/meta layer")
      try repository.git("submodule", "--quiet", "add", "../inner", "scripts")
      try repository.git("submodule", "--quiet", "update", "--init", "--recursive")
      try repository.commit()
      try repository.git("tag", "v1.0.0")
      let read = try repository.read()
      let submodules = read.checkout.submodules
      #expect(submodules.map(\.path.text) == ["layers/meta layer", "layers/meta layer/tests/inner", "scripts"])
      let heads = [try layer.head, try inner.head, try inner.head]
      #expect(submodules.map(\.tree.commit.hex) == heads)
      #expect(submodules[1].tree.mirror == submodules[2].tree.mirror, "both are ../inner of the same place")
      #expect(submodules[2].tree.mirror == MirrorName.of("url " + inner.path))
      #expect(submodules[0].tree.mirror == MirrorName.of("url " + layer.path))
      #expect(read.locations.count == 4 && read.isRelease)

      // A nested one may be absent, one of the repository itself may not.
      try repository.git("-C", "layers/meta layer", "submodule", "--quiet", "deinit", "--force", "--all")
      #expect(try repository.read().notices == ["nested submodule layers/meta layer/tests/inner is not checked out and is left out"])
      try layer.git("submodule", "--quiet", "add", "../inner", "tests/other")
      try layer.commit()
      try repository.git("-C", "layers/meta layer", "pull", "--quiet")
      try repository.commit()
      let both = "2 nested submodules are not checked out and are left out, the first: layers/meta layer/tests/inner"
      #expect(try repository.read().notices == [both], "one line, however many there are")
      try repository.git("submodule", "--quiet", "deinit", "--force", "scripts")
      try repository.checkError("repository-submodule-absent")
    }
  }

  @Test func seesChangesInsideASubmodule() throws {
    try withScratchDirectory { scratch in
      let layer = try TemporaryRepository("layer", in: scratch)
      try layer.write("a", "1")
      try layer.commit()
      let repository = try TemporaryRepository.sample(in: scratch, tag: nil)
      try repository.git("submodule", "--quiet", "add", layer.path, "layer")
      try repository.commit()
      try repository.git("tag", "v1.0.0")
      #expect(try repository.read().isRelease)
      try repository.write("layer/a", "2")
      try repository.checkError("repository-submodule-dirty")
    }
  }

  @Test func refusesLargeFileStorage() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch)
      try repository.write(".gitattributes", "*.bin -text\n")
      try repository.write("firmware.bin", "version https://git-lfs.github.com/spec/v1\n")
      try repository.commit()
      #expect(try repository.read().checkout.isDirty == false, "attributes alone are fine")
      try repository.write("firmware/.gitattributes", "*.dat filter=lfs\n")
      try repository.write("firmware/x.dat", "version https://git-lfs.github.com/spec/v1\n")
      try repository.commit()
      let nested = #expect(throws: PlanningError.self) { try repository.read() }
      #expect(nested?.description.contains("(firmware/x.dat)") == true, "attributes of a directory count, too")
      try repository.git("rm", "--quiet", "-r", "firmware")
      try repository.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
      // Where git-lfs is not installed, git passes the contents through.
      try repository.commit()
      try repository.checkError("repository-lfs")
    }
  }

  @Test func warningsOfGitAreNoOutput() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch)
      try repository.git("config", "alias.noisy", "!echo 'warning: noise' >&2; echo result")
      #expect(try repository.git("noisy") == "result\n")
    }
  }

  @Test func gitIsBounded() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch)
      try repository.git("config", "alias.wait", "!sleep 5")
      let start = Date()
      #expect(throws: PlanningError.self) { try GitCommand.run(["wait"], in: repository.path, repository: "r", limitSeconds: 0.3) }
      #expect(Date().timeIntervalSince(start) < 4)
      // Neither git nor what it started is left; a process that is still there would be found in the repository.
      let processes = ProcessTree(mark: "BLOCKFARM_TEST=none", directories: [repository.path])
      #expect(processes.members(of: nil).isEmpty)
      #expect(throws: PlanningError.self) { try GitCommand.run(["log"], in: repository.path, repository: "r", outputLimit: 10) }
      let error = #expect(throws: PlanningError.self) { try GitCommand.run(["show", "nothing-of-this-name"], in: repository.path, repository: "r") }
      #expect(error?.description.contains("nothing-of-this-name") == true)
    }
  }

  @Test func anEndOfGitIsReported() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch)
      func error(_ script: String) throws -> String? {
        try repository.git("config", "alias.end", script)
        return #expect(throws: PlanningError.self) { try GitCommand.run(["end"], in: repository.path, repository: "r") }?.description
      }
      #expect(try error("!kill -KILL $PPID") == "repository r: git end: ended by signal KILL")
      #expect(try error("!exit 7") == "repository r: git end: status 7")
      let colours = try error("!printf 'fatal: \\033[31mred\\nhint: try again\\n' >&2; exit 1")
      #expect(colours == "repository r: git end: ?[31mred")
    }
  }

  /// Beyond what is asked for, a git has the three streams alone, whatever else was opened here.
  @Test func gitHasNoForeignDescriptors() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch)
      let unmarked = open("/dev/zero", O_RDONLY)
      defer { close(unmarked) }
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(unmarked)") == "/dev/zero")
      try repository.git("config", "alias.descriptors", "!ls -l /proc/$PPID/fd")
      let found = try repository.git("descriptors")
      #expect(found.contains(" 0 -> /dev/null"), "the list is of git's descriptors")
      #expect(!found.contains("/dev/zero"))
    }
  }

  @Test func theEnvironmentDoesNotReachGit() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch)
      try repository.git("config", "alias.show-env", "!env")
      let seen = try repository.git("show-env").split(separator: "\n").map { String($0.prefix { $0 != "=" }) }
      #expect(!seen.contains("USER") && !seen.contains("LANG") && seen.contains("HOME"))
    }
  }

  @Test(arguments: [
    ("../b", "https://example.com/x/a.git", "https://example.com/x/b"), ("../../y/b", "https://example.com/x/a/", "https://example.com/y/b"),
    ("./b", "/srv/a", "/srv/a/b"), ("../b", "git@example.com:x/a.git", "git@example.com:x/b"), ("../b", "host:a", "host:b"),
  ])
  func resolvesRelativeURLs(_ url: String, _ base: String, _ expected: String) {
    #expect(GitSubmodules.resolve(url, against: base) == expected)
  }

  @Test func findsContractsOnceAndNoDevices() throws {
    try withScratchDirectory { scratch in
      let repository = try TemporaryRepository.sample(in: scratch, tag: nil)
      try repository.write("contracts/contracts/sw.image/a/contract.json", #"{"slug": "a", "type": "sw.image.overlay"}"#)
      try repository.write("contracts/.cache/contract.json", "not read")
      try repository.commit()
      try repository.git("tag", "v1.0.0")
      var source = repository.source
      source.contracts = ["contracts", "contracts/contracts", "absent"]
      let found = try RepositoryReader.read(source).contracts.map(\.slug)
      // Two paths to one file are two names of it, so only the first root counts it.
      #expect(found == ["a"])
      #expect(throws: PlanningError.self) { try RepositoryFiles.contents("/dev/zero") }
      #expect(throws: PlanningError.self) { try RepositoryFiles.contents(repository.path) }
    }
  }
}
