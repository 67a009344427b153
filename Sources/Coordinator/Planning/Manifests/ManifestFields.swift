import BuildModel
import FoundationEssentials

/// The raw values of a device type manifest, from either of its two file forms, before they are checked.
struct ManifestFields {
  enum Value: Equatable {
    case text(String)
    case flag(Bool)
    case list([String])
  }
  var top: [String: Value] = [:]
  var yocto: [String: Value] = [:]
  /// The line, from 1, where a key of the top level (`arch`) or of the section (`yocto.machine`) stands.
  var line: (String) -> Int? = { _ in nil }

  /// Checks the fields and makes the device type.
  func deviceType(file: String, path: String) throws(PlanningError) -> DeviceType {
    func wrong(_ reason: String, _ key: String? = nil) -> PlanningError {
      .unreadable(file: path, line: key.flatMap(line), reason: reason)
    }
    func text(_ section: [String: Value], _ key: String) -> String? {
      if case .text(let text) = section[key] { text } else { nil }
    }
    func required(_ section: [String: Value], _ key: String, _ label: String) throws(PlanningError) -> String {
      guard let value = text(section, key), !value.isEmpty else { throw wrong("has no '\(label)'") }
      return value
    }
    func flag(_ key: String) -> Bool { yocto[key] == .flag(true) }
    let slugText = text(top, "slug") ?? file
    guard let slug = try? Slug(slugText) else { throw wrong("'\(slugText)' is not a device type name", "slug") }
    let archText = try required(top, "arch", "arch")
    guard let arch = Architecture(rawValue: archText) else {
      throw wrong("unknown architecture '\(archText)'; known: \(Architecture.allCases.map(\.rawValue).joined(separator: ", "))", "arch")
    }
    let stateText = (text(top, "state") ?? "").uppercased()
    guard let state = DeviceType.State(rawValue: stateText) else { throw wrong("unknown state '\(stateText)'", "state") }
    let machineText = try required(yocto, "machine", "yocto.machine")
    guard let machine = try? Machine(machineText) else { throw wrong("'\(machineText)' is not a machine name", "yocto.machine") }
    var images: [RecipeName] = []
    for word in (text(yocto, "image") ?? "").split(separator: " ") {
      guard let recipe = try? RecipeName(word) else { throw wrong("'\(word)' is not a bitbake target", "yocto.image") }
      images.append(recipe)
    }
    let artifact = try required(yocto, "deployArtifact", "yocto.deployArtifact")
    for key in ["deployArtifact", "deployFlasherArtifact", "deployRawArtifact"] {
      if let path = text(yocto, key), RelativePath(path) == nil {
        throw wrong("artifact '\(path)' is not a path below the images directory", "yocto." + key)
      }
    }
    var name = text(top, "name") ?? slug.text
    if state != .absent, state != .released, name.hasSuffix(" (\(state.rawValue))") { name.removeLast(state.rawValue.count + 3) }
    let codename = text(yocto, "version") ?? ""
    let aliases: [String] = if case .list(let list) = top["aliases"] { list } else { [] }
    return DeviceType(
      slug: slug, aliases: aliases, name: name, arch: arch, state: state,
      yocto: DeviceType.Yocto(
        machine: machine, image: images, fstype: text(yocto, "fstype"),
        codename: codename.hasPrefix("yocto-") ? String(codename.dropFirst(6)) : codename, deployArtifact: artifact,
        deployFlasherArtifact: text(yocto, "deployFlasherArtifact"), deployRawArtifact: text(yocto, "deployRawArtifact"),
        compressed: flag("compressed"), archive: flag("archive")), file: file)
  }
}
