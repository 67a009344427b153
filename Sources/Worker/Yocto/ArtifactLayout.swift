import BuildModel

/// Which files below `deploy-jenkins/` a build of one device type consists of, and where they come from. Pure: what exists is an argument.
///
/// The layout is the one that balena-yocto-scripts' deploy functions gave until 2024-02, with compressed images and no intermediates.
package struct ArtifactLayout: Sendable {
  package enum Source: Hashable, Sendable {
    /// A file, taken as it is; links are followed.
    case file(Place)
    /// A file, alone in a zip under `name`.
    case zippedFile(Place, name: String)
    /// The files of a directory, in a zip.
    case zippedDirectory(Place)
    /// A directory as a gzipped tar whose entries begin with `prefix`.
    case tar(Place, prefix: String)
  }

  /// Where a source lies.
  package enum Place: Hashable, Sendable {
    /// Below `build/tmp/deploy/images/<machine>/`.
    case images(RelativePath)
    /// Below the work tree.
    case tree(RelativePath)
    /// Below `build/tmp/deploy/`.
    case deploy(RelativePath)

    /// The path below the work tree.
    package func path(machine: Machine) -> String {
      switch self {
      case .images(let path): "build/tmp/deploy/images/\(machine)/\(path)"
      case .tree(let path): path.text
      case .deploy(let path): "build/tmp/deploy/\(path)"
      }
    }
  }

  package struct Item: Hashable, Sendable {
    /// Path below `deploy-jenkins/`, or below `images/` for a disk image.
    package var path: RelativePath
    package var source: Source
    package var role: Artifact.Role
    /// Whether the build failed when the source is not there.
    package var isRequired: Bool

    package init(path: RelativePath, source: Source, role: Artifact.Role, isRequired: Bool) {
      self.path = path
      self.source = source
      self.role = role
      self.isRequired = isRequired
    }
  }

  /// An artifact field of a manifest that is no path below the images' directory.
  package struct InvalidArtifact: Error, Sendable, CustomStringConvertible {
    package let text: String
    package var description: String { "the manifest's deploy artifact '\(text.prefix(200))' is not a path below the images' directory" }
  }

  /// All items of the layout, in the order in which the scripts made them. Optional ones are left out where nothing is there: see ``Item/isRequired``.
  package static func items(slug: Slug, machine: Machine, manifestFile: String, system: SystemSpec) throws -> [Item] {
    var items: [Item] = []
    func add(_ path: String, _ source: Source, role: Artifact.Role = .file, required: Bool) throws {
      guard let path = RelativePath(path) else { throw InvalidArtifact(text: path) }
      items.append(Item(path: path, source: source, role: role, isRequired: required))
    }
    func image(_ name: String) throws -> Place { .images(try relative(name)) }

    try add("device-type.json", .file(.tree(try relative("\(manifestFile).json"))), required: true)
    try add("VERSION", .file(try image("VERSION")), required: true)
    try add("VERSION_HOSTOS", .file(try image("VERSION_HOSTOS")), required: true)
    for target in system.image {
      let name = "\(target)-\(machine).manifest"
      try add(name, .file(try image(name)), required: true)
    }
    try add("balena-image.docker", .file(try image(hostapp(machine: machine))), required: true)
    try add("licenses.tar.gz", .tar(.deploy(try relative("licenses")), prefix: "licenses"), required: false)
    try add("CHANGELOG.md", .file(.tree(try relative("CHANGELOG.md"))), required: false)
    if !hasDiskImage(slug: slug, system: system) { return items }
    for name in ["kernel_modules_headers.tar.gz", "kernel_source.tar.gz"] { try add(name, .file(try image(name)), required: false) }

    let named = [
      (system.deployArtifact, "balena.img"), (system.deployFlasherArtifact, "balena-flasher.img"), (system.deployRawArtifact, "balena-raw.img"),
    ]
    for case (let artifact?, let name) in named {
      let place = try image(artifact)
      if system.archive {
        try add("\(artifact).zip", .zippedDirectory(place), required: true)
      } else if system.compressed {
        try add("image/\(name).zip", .zippedFile(place, name: name), required: true)
      } else {
        try add("image/\(name)", .file(place), required: true)
      }
    }
    if !system.archive {
      var seen: Set<String> = []
      for case (let artifact?, _) in named where seen.insert(artifact).inserted {
        try add("images/\(artifact)", .file(try image(artifact)), role: .diskImage, required: true)
      }
    }
    if system.compressed { try add("tests.tar.gz", .tar(.tree(try relative("layers/meta-balena/tests")), prefix: "tests"), required: false) }
    return items
  }

  /// Whether there is a disk image at all: not for the `edge` device type and images that are containers only.
  package static func hasDiskImage(slug: Slug, system: SystemSpec) -> Bool {
    slug.text != "edge" && system.deployArtifact != "docker-image"
  }

  /// The hostapp's file below the images' directory, whatever the image target is.
  package static func hostapp(machine: Machine) -> String { "balena-image-\(machine).docker" }

  private static func relative(_ text: String) throws -> RelativePath {
    guard let path = RelativePath(text) else { throw InvalidArtifact(text: text) }
    return path
  }
}
