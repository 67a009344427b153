import BuildModel
import Foundation
import TestFiles
import Testing

@testable import Planning

/// Files of `Fixtures/`, and short ways to make values.
enum Fixture {
  struct Matrix: Decodable, Sendable {
    var deviceTypes: [Row]
  }

  /// One manifest that exists in public.
  struct Row: Decodable, Sendable, CustomTestStringConvertible {
    var slug: String
    var name: String
    var arch: String
    var ociPlatform: String
    var state: String?
    var machine: String
    var manifest: String
    var repo: String
    var repoVersion: String?
    var yocto: String
    var image: String?
    var fstype: String?
    var deployArtifact: String
    var deployFlasherArtifact: String?
    var deployRawArtifact: String?
    var compressed: Bool?
    var archive: Bool?
    var aliases: [String]
    var testDescription: String { "\(repo)/\(manifest)" }
    var file: String { String(manifest.split(separator: ".")[0]) }
    var repository: String { String(repo.split(separator: "/")[1]) }

    /// Checks a device type against this row.
    func check(_ deviceType: DeviceType, location: SourceLocation = #_sourceLocation) {
      #expect(deviceType.slug.text == slug, sourceLocation: location)
      #expect(deviceType.name == name, sourceLocation: location)
      #expect(deviceType.arch.rawValue == arch, sourceLocation: location)
      #expect(deviceType.arch.platform.description == ociPlatform, sourceLocation: location)
      #expect(deviceType.state.rawValue == state ?? "", sourceLocation: location)
      #expect(deviceType.aliases == aliases, sourceLocation: location)
      #expect(deviceType.file == file, sourceLocation: location)
      let section = deviceType.yocto
      #expect(section.machine.text == machine, sourceLocation: location)
      #expect(section.image.map(\.text).joined(separator: " ") == image ?? "", sourceLocation: location)
      #expect(section.fstype == fstype, sourceLocation: location)
      #expect(section.codename == yocto, sourceLocation: location)
      #expect(section.deployArtifact == deployArtifact, sourceLocation: location)
      #expect(section.deployFlasherArtifact == deployFlasherArtifact, sourceLocation: location)
      #expect(section.deployRawArtifact == deployRawArtifact, sourceLocation: location)
      #expect(section.compressed == compressed ?? false, sourceLocation: location)
      #expect(section.archive == archive ?? false, sourceLocation: location)
    }

    /// A manifest with these values, as people write them: `indent` is one level, `quote` either kind.
    func coffee(indent: String, quote: String, newline: String = "\n") -> String {
      func text(_ value: String) -> String { quote + value + quote }
      var lines = [
        "common = require '@resin.io/device-types/common'", "{ networkOptions, commonImg, instructions } = common", "",
        "HINT = '''", "\tname: not this one", "'''", "", "STEPS = [", "\tinstructions.BOOT", "]", "", "module.exports =",
        indent + "version: 1",
      ]
      func add(_ key: String, _ value: String?, _ level: Int = 1) {
        if let value { lines.append(String(repeating: indent, count: level) + "\(key): \(value)") }
      }
      add("slug", text(slug))
      if !aliases.isEmpty { add("aliases", "[ " + aliases.map(text).joined(separator: ", ") + " ]") }
      add("name", text(name))
      add("arch", text(arch))
      add("state", state.flatMap { $0.isEmpty ? nil : text($0.lowercased()) })
      lines += ["", indent + "stateInstructions:", indent + indent + "machine: STEPS", indent + "options: [ networkOptions.group ]"]
      lines += [indent + "instructions: [", indent + indent + "arch: " + text("wrong"), indent + "].concat(STEPS)", "", indent + "yocto:"]
      add("machine", text(machine), 2)
      add("image", image.map(text), 2)
      add("fstype", fstype.map(text), 2)
      add("version", text("yocto-" + yocto), 2)
      add("deployArtifact", text(deployArtifact), 2)
      add("deployFlasherArtifact", deployFlasherArtifact.map(text), 2)
      add("deployRawArtifact", deployRawArtifact.map(text), 2)
      add("compressed", compressed.map { $0 ? "true" : "false" }, 2)
      add("archive", archive.map { $0 ? "yes" : "no" }, 2)
      lines += ["", indent + "configuration:", indent + indent + "config:", indent + indent + indent + "machine: " + text("wrong")]
      lines += ["", indent + "initialization: commonImg.initialization", ""]
      return lines.joined(separator: newline)
    }
  }

  static let rows = Fixtures().load(Matrix.self, "matrix/device-types.json").deviceTypes
}

typealias SourceLocation = Testing.SourceLocation
