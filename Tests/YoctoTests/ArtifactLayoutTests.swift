import BuildModel
import Foundation
import Testing
import Yocto

/// The layout against the table of what the scripts made.
struct ArtifactLayoutTests {
  struct Table: Decodable {
    struct Case: Decodable {
      var slug: String
      var machine: String
      var era: String
      var removeIntermediate: Bool?
      var files: [String]
    }
    var cases: [Case]
  }

  private static let systems: [String: SystemSpec] = [
    "raspberrypi4-64": system("balena-image", "balena-image-raspberrypi4-64.balenaos-img"),
    "generic-amd64": system(
      "balena-image-flasher", "balena-image-flasher-generic-amd64.balenaos-img", flasher: "balena-image-flasher-generic-amd64.balenaos-img",
      raw: "balena-image-generic-amd64.balenaos-img"),
    "jetson-tx2": system("balena-image-flasher", "balena-image-flasher-jetson-tx2.balenaos-img"),
    "lcbzu9": system("balena-image", "balena-image-lcbzu9.balenaos-img", compressed: false),
    "intel-edison": system("balena-image", "resin-edison", archive: true),
    "edge": system("balena-image", "docker-image"),
  ]

  /// The form that is made: that of 2024-02 without intermediates. The other rows tell of forms that are not.
  @Test func matchesTheTable() throws {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/layout-cases.json", withExtension: nil))
    let cases = try JSONDecoder().decode(Table.self, from: Data(contentsOf: url)).cases
      .filter { $0.era == "2024-02" && $0.removeIntermediate == true }
    #expect(cases.count == 6)
    for sample in cases {
      let system = try #require(Self.systems[sample.slug])
      let items = try ArtifactLayout.items(
        slug: try Slug(sample.slug), machine: try Machine(sample.machine), manifestFile: sample.machine, system: system)
      #expect(items.filter { $0.role == .file }.map(\.path.text).sorted() == sample.files.sorted(), "\(sample.slug)")
      #expect(Set(items.map(\.path)).count == items.count, "\(sample.slug): a path twice")
    }
  }

  /// Taken literally: `balena-image` although the image is the flasher.
  @Test func diskImagesKeepTheirNames() throws {
    let system = Self.system("balena-image-flasher", "balena-image-iot-link.balenaos-img", raw: "sub/raw.balenaos.img")
    let images = try ArtifactLayout.items(slug: try Slug("iot-link"), machine: try Machine("iot-link"), manifestFile: "iot-link", system: system)
      .filter { $0.role == .diskImage }
    #expect(images.map(\.path.text) == ["images/balena-image-iot-link.balenaos-img", "images/sub/raw.balenaos.img"])
    #expect(
      images.first?.source.place.path(machine: try Machine("iot-link")) == "build/tmp/deploy/images/iot-link/balena-image-iot-link.balenaos-img")
  }

  /// A flasher's deploy and flasher artifact may be one file: one image.
  @Test func oneImageForOneFile() throws {
    let items = try ArtifactLayout.items(
      slug: try Slug("generic-amd64"), machine: try Machine("generic-amd64"), manifestFile: "generic-amd64",
      system: try #require(Self.systems["generic-amd64"]))
    #expect(items.filter { $0.role == .diskImage }.count == 2)
  }

  @Test(arguments: ["../../etc/passwd", "/etc/passwd", "a//b", "", "a/./b"])
  func pathsThatLeadOutAreRefused(_ artifact: String) throws {
    #expect(throws: ArtifactLayout.InvalidArtifact.self) {
      try ArtifactLayout.items(
        slug: try Slug("x"), machine: try Machine("x"), manifestFile: "x", system: Self.system("balena-image", artifact))
    }
  }

  static func system(
    _ image: String, _ artifact: String, flasher: String? = nil, raw: String? = nil, compressed: Bool = true, archive: Bool = false
  ) -> SystemSpec {
    SystemSpec(
      image: [try? RecipeName(image)].compactMap(\.self), deployArtifact: artifact, deployFlasherArtifact: flasher, deployRawArtifact: raw,
      compressed: compressed, archive: archive)
  }
}
