import Balena
import BuildModel
import FoundationEssentials
import Publishing
import TestFiles
import Testing

/// What makes a release, without a cloud.
struct DescriptionTests {
  @Test func describesBlocksThenHostappThenHostOS() throws {
    let all = try Publisher.describe(try Sample.publication(), organization: "balena_os")
    #expect(
      all.map(\.description.application.slug) == [
        "balena_os/generic-amd64-tools", "balena_os/generic-amd64-kernel", "balena_os/generic-amd64", "balena_os/generic-amd64-hostos",
      ])
    #expect(all.map(\.isHost) == [false, false, true, false])
    let composition = all[3].description.composition
    #expect(composition["version"] == "2")
    #expect(composition["services"]?.object?.keys.sorted() == ["bootable", "kernel", "tools"])
    let bootable = composition["services"]?["bootable"]?["labels"]
    #expect(bootable?["io.balena.image.class"] == "service")
    #expect(bootable?["io.balena.image.store"] == "root")
    #expect(bootable?["io.balena.image.requires-reboot"] == "1")
    let tools = composition["services"]?["tools"]
    #expect(tools?["labels"]?["io.balena.image.class"] == "overlay")
    #expect(tools?["labels"]?["io.balena.image.store"] == "data")
    #expect(tools?["image"] == .text("sha256:" + String(repeating: "a", count: 64)))
    #expect(all[2].description.composition["services"]?["hostapp"]?["labels"]?["io.balena.private.hostapp.board-rev"] == "4f2c")
  }

  @Test func addsESRToEveryApplication() throws {
    let all = try Publisher.describe(try Sample.publication(version: "2023.10.1"), organization: "balena_os")
    #expect(all.allSatisfy { $0.description.application.slug.hasSuffix("-esr") })
  }

  @Test func namesAReleaseByApplicationVersionAndContent() throws {
    func commits(_ publication: Publication, _ organization: String = "balena_os") throws -> [String] {
      try Publisher.describe(publication, organization: organization).map(\.description.commit)
    }
    let base = try commits(try Sample.publication())
    // Computed with sha256sum; changing it makes every published release look like a conflict.
    #expect(
      try ReleaseDescription.commit(
        application: ApplicationName(organization: "balena_os", name: "board"), version: OSVersion("2.60.1")!, content: Sample.digest("a"))
        == "9b5e8fe7cb8ed99585a8d0c64a1a82d4479002dd")
    #expect(base.allSatisfy { $0.utf8.count == 40 })
    #expect(Set(base).count == 4)
    #expect(try commits(try Sample.publication()) == base)
    #expect(Set(try commits(try Sample.publication(version: "2.60.2"))).isDisjoint(with: base))
    #expect(Set(try commits(try Sample.publication(), "other")).isDisjoint(with: base))
    // Another block changes its own release and the hostOS, not the hostapp.
    let other = try commits(
      try Sample.publication(blocks: [
        .init(name: BlockName("tools"), image: Sample.image("9")), .init(name: BlockName("kernel"), image: Sample.image("b")),
      ]))
    #expect(zip(base, other).map { $0 == $1 } == [false, true, true, false])
    var asset = try Sample.publication()
    asset.hostapp?.assets[0].blob.digest = Sample.digest("1")
    #expect(zip(base, try commits(asset)).map { $0 == $1 } == [true, true, false, true])
  }

  @Test func fillsAMergedComposition() throws {
    let merged: BalenaJSON = [
      "services": [
        "hostapp": [
          "image": "__BUILD_OUTPUT__", "x-build": [:], "labels": ["io.balena.image.class": "hostapp", "io.balena.update.requires-reboot": 1],
        ],
        "tools": ["image": "__BUILD_OUTPUT__", "labels": ["io.balena.image.store=data"], "network_mode": "none"],
        "kernel": ["image": "__BUILD_OUTPUT__", "x-build": ["recipe": "k"], "runtime": "extension"],
      ]
    ]
    let all = try Publisher.describe(try Sample.publication(composition: merged), organization: "balena_os")
    let services = try #require(all[3].description.composition["services"]?.object)
    #expect(services.keys.sorted() == ["hostapp", "kernel", "tools"])
    #expect(services["hostapp"]?["image"] == .text(Sample.digest("f").description))
    #expect(services["hostapp"]?["labels"]?["io.balena.update.requires-reboot"] == "1")
    #expect(services["kernel"]?["x-build"] == nil)
    #expect(services["kernel"]?["runtime"] == "extension")
    #expect(services["tools"]?["network_mode"] == "none")
    #expect(services["tools"]?["labels"]?["io.balena.image.store"] == "data")
  }

  @Test(
    arguments: [
      (["services": ["hostapp": ["labels": ["io.balena.image.class": "hostapp"]]]], "it has no service for block 'tools'"),
      (["services": ["x": [:], "tools": [:], "kernel": [:]]], "no image for service 'x' of the composition; there are: kernel, tools"),
      (["services": ["tools": [:], "kernel": [:]]], "no service has the class hostapp; it has kernel, tools"),
      (["services": [:]], "it has no services"),
      (
        ["services": ["h": ["labels": ["io.balena.image.class": "hostapp", "a": "__DEVICE_REPO_REV__"]], "tools": [:], "kernel": [:]]],
        "a placeholder as __BUILD_OUTPUT__ is left"
      ),
    ] as [(BalenaJSON, String)])
  func refusesCompositions(composition: BalenaJSON, reason: String) {
    #expect(complaint { try Publisher.describe(try Sample.publication(composition: composition), organization: "balena_os") }.contains(reason))
  }

  @Test func refusesWhatTheServerWouldRefuseLater() throws {
    var publication = try Sample.publication()
    publication.hostapp?.assets.removeFirst(2)
    #expect(
      complaint { try Publisher.describe(publication, organization: "balena_os") }.contains(
        "balena_os/generic-amd64 lacks VERSION, VERSION_HOSTOS; it has compressed/part-0.deflate, device-type.json, image.json"))
    publication = try Sample.publication()
    publication.hostapp?.contract = ["type": "sw.os"]
    #expect(complaint { try Publisher.describe(publication, organization: "balena_os") }.contains("not sw.application or sw.block"))
    publication.hostapp?.contract = ["type": "sw.block", "version": "2.60.2"]
    #expect(complaint { try Publisher.describe(publication, organization: "balena_os") }.contains("it says version 2.60.2, the release is 2.60.1"))
    let long = String(repeating: "x", count: 301)
    publication = try Sample.publication(blocks: [.init(name: BlockName("tools"), image: Sample.image("a", labels: ["io.balena.x": long]))])
    #expect(complaint { try Publisher.describe(publication, organization: "balena_os") }.contains("at most 300 characters"))
    publication = try Sample.publication(blocks: [.init(name: BlockName("bootable"), image: Sample.image("a"))])
    #expect(complaint { try Publisher.describe(publication, organization: "balena_os") }.contains("two services of the hostOS release"))
    publication = try Sample.publication(blocks: [.init(name: BlockName("hostos"), image: Sample.image("a"))])
    #expect(complaint { try Publisher.describe(publication, organization: "balena_os") }.contains("two of its applications would have one name"))
  }

  @Test func putsTheVersionIntoTheContract() throws {
    var publication = try Sample.publication(version: "2.60.1+rev3")
    publication.hostapp?.contract = ["type": "sw.block", "name": "balenaOS"]
    #expect(try Publisher.describe(publication, organization: "balena_os")[2].description.contract?["version"] == "2.60.1+rev3")
  }

  /// The rules agree with the written-down ones.
  @Test func requiresTheAssetsOfTheRulesFile() throws {
    struct Rules: Decodable {
      struct ForImages: Decodable {
        let always: [String]
        let ifDeployFlasherArtifact: [String]
        let ifDeployRawArtifact: [String]
      }
      let required: [String]
      let requiredForImages: ForImages
    }
    let rules = Fixtures().load(Rules.self, "release-assets-rules.json")
    func keys(_ deviceType: DeviceType) -> Set<String> {
      Set(
        AssetRules.rules(for: deviceType).map { rule in
          switch rule {
          case .file(let key): key
          case .anyBelow(let directory): directory + "/+"
          }
        })
    }
    let images = rules.requiredForImages
    #expect(keys(try Sample.deviceType()) == Set(rules.required + images.always))
    let both = Set(rules.required + images.always + images.ifDeployFlasherArtifact + images.ifDeployRawArtifact)
    #expect(keys(try Sample.deviceType(flasher: "f", raw: "r")) == both)
    for exempt in [try Sample.deviceType("edge"), try Sample.deviceType(artifact: "docker-image"), try Sample.deviceType(archive: true)] {
      #expect(keys(exempt) == Set(rules.required))
    }
    #expect(AssetRules.unmet([.anyBelow("compressed")], by: ["compressed/", "compressed-raw/x", "compressed"]) == [.anyBelow("compressed")])
    #expect(AssetRules.unmet([.anyBelow("compressed")], by: ["compressed/x"]).isEmpty)
  }
}
