import BuildModel
import Foundation
import TestFiles
import TestGolden
import Testing

@testable import Planning

@Suite struct ManifestTests {
  static let generated: [String] = {
    let root = Fixtures().path("device-types")
    let repositories = (try? RepositoryFiles.names(root)) ?? []
    return repositories.flatMap { repository in
      ((try? RepositoryFiles.names(root + "/" + repository)) ?? []).map { "\(repository)/\($0)" }
    }
  }()

  func coffee(_ text: String) throws -> DeviceType {
    try ManifestFields.coffee(Array(text.utf8), path: "x.coffee").deviceType(file: "x", path: "x.coffee")
  }

  @Test func thereAreThirtySevenGeneratedManifests() { #expect(Self.generated.count == 37) }

  @Test(arguments: generated)
  func readsGeneratedJSON(_ path: String) throws {
    let parts = path.split(separator: "/")
    let file = String(parts[1].dropLast(5))
    let row = try #require(Fixture.rows.first { $0.repository == parts[0] && $0.file == file })
    let fields = try #require(try ManifestFields.json(Fixtures().bytes("device-types/" + path), path: path))
    row.check(try fields.deviceType(file: file, path: path))
  }

  @Test(arguments: Fixture.rows)
  func readsCoffeeOfEveryDeviceType(_ row: Fixture.Row) throws {
    for (indent, quote, newline) in [("\t", "'", "\n"), ("  ", "\"", "\n"), ("    ", "'", "\r\n")] {
      let text = row.coffee(indent: indent, quote: quote, newline: newline)
      row.check(try ManifestFields.coffee(Array(text.utf8), path: row.manifest).deviceType(file: row.file, path: row.manifest))
    }
  }

  @Test func readsMixedTabsAndSpaces() throws {
    let text = """
      x = require 'y'
      module.exports =
      \tversion: 1
              slug: 'acme'
        \tarch: 'amd64'   # eight columns again
      \tinstructions: [
      \t    'arch: 'no
            'name: no'
      \t]
      \tyocto:
      \t\tmachine: 'm'
                      image: 'balena-image'
          \t    \tversion: 'yocto-kirkstone'
      \t\tdeployArtifact: "a.img" # quoted
      \t\tcompressed: yes
      """
    let deviceType = try coffee(text)
    #expect(deviceType.slug.text == "acme" && deviceType.arch == .amd64 && deviceType.state == .absent)
    #expect(deviceType.yocto.machine.text == "m" && deviceType.yocto.codename == "kirkstone" && deviceType.yocto.compressed)
  }

  @Test func readsEscapesAndSkipsBlockComments() throws {
    let text = """
      module.exports =
        name: 'Jack\\'s "Board"'
        arch: 'amd64'
        ###
        arch: 'i386'
        ###
        ### slug: 'other' ###
        #### arch: 'rpi'
        yocto:
          machine: 'm'
          deployArtifact: 'a.img'
      after = 1
        arch: 'i386'
      """
    let deviceType = try coffee(text)
    #expect(deviceType.name == "Jack's \"Board\"" && deviceType.arch == .amd64)
    #expect(deviceType.slug.text == "x", "the file's name stands in for a missing slug")
  }

  @Test func dropsTheStateFromTheName() throws {
    let text = "module.exports =\n  name: 'Board (NEW)'\n  state: 'new'\n  arch: 'rpi'\n  yocto:\n    machine: 'm'\n    deployArtifact: 'a'\n"
    #expect(try coffee(text).name == "Board")
    #expect(try coffee(text.replacing("state: 'new'", with: "state: 'pending'")).name == "Board (NEW)")
  }

  @Test func otherJSONFilesAreNoManifests() throws {
    for text in ["[1, 2]", "{\"name\": \"left-pad\"}", " \n[]", "{\"yocto\": null}"] {
      #expect(try ManifestFields.json(Array(text.utf8), path: "x.json") == nil, "\(text)")
    }
  }

  @Test(arguments: [
    ("no-exports", "slug: 'x'\n"),
    ("no-yocto", "module.exports =\n  slug: 'x'\n  arch: 'amd64'\n"),
    ("open-text", "a = 1\nmodule.exports =\n  slug: 'x\n  arch: 'amd64'\n  yocto:\n    machine: 'm'\n"),
    ("unknown-arch", "module.exports =\n  slug: 'x'\n\n  arch: 'arm64'\n  yocto:\n    machine: 'm'\n"),
    ("unknown-state", "module.exports =\n  arch: 'amd64'\n  state: 'retired'\n  yocto:\n    machine: 'm'\n"),
    ("bad-machine", "module.exports =\n  arch: 'amd64'\n  yocto:\n    machine: '../m'\n"),
    ("no-artifact", "module.exports =\n  arch: 'amd64'\n  yocto:\n    machine: 'm'\n"),
    ("artifact-outside", "module.exports =\n  arch: 'amd64'\n  yocto:\n    machine: 'm'\n    deployArtifact: '../../etc/passwd'\n"),
    ("bad-target", "module.exports =\n  arch: 'amd64'\n  yocto:\n    machine: 'm'\n    image: 'ok -x'\n    deployArtifact: 'a'\n"),
  ])
  func namesFileAndLine(_ name: String, _ text: String) throws {
    let error = #expect(throws: PlanningError.self) { try coffee(text) }
    try Golden.checkDescription("manifest-coffee-\(name)", error)
  }

  @Test(arguments: [
    ("not-json", "{\n\t\"slug\": \"x\",\n\t\"arch\" \"amd64\"\n}\n"),
    ("truncated", "{\"slug\": \"x\",\n \"yocto\": {"),
    ("unknown-arch", "{\n\t\"slug\": \"x\",\n\t\"arch\": \"arm64\",\n\t\"yocto\": {\n\t\t\"machine\": \"m\"\n\t}\n}\n"),
    ("bad-machine", "{\n\t\"machine\": 1,\n\t\"arch\": \"amd64\",\n\t\"yocto\": {\n\t\t\"machine\": \"a/b\"\n\t}\n}\n"),
    ("yocto-is-text", "{\n\t\"slug\": \"x\",\n\t\"yocto\": \"kirkstone\"\n}\n"),
  ])
  func namesFileAndLineOfJSON(_ name: String, _ text: String) throws {
    let error = #expect(throws: PlanningError.self) {
      try ManifestFields.json(Array(text.utf8), path: "x.json")?.deviceType(file: "x", path: "x.json")
    }
    try Golden.checkDescription("manifest-json-\(name)", error)
  }
}

extension ManifestFields: Equatable {
  public static func == (a: ManifestFields, b: ManifestFields) -> Bool { a.top == b.top && a.yocto == b.yocto }
}
