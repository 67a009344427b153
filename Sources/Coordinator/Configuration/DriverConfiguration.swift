import BuildModel

extension ConfigurationNode {
  /// A repository's `driver`: a name, or a mapping with its settings.
  func driver() throws(ConfigurationError) -> TaskSpec.Driver {
    if node.scalar != nil {
      switch try string() {
      case "barys": return .barys
      case "balena-build": return .balenaBuild(settings: .init())
      case "command": throw failure("the driver 'command' needs its words: {command: [./build.sh, \"{machine}\", \"{targets}\"], …}")
      case let name: throw failure("'\(name)' is not a driver; known are \(TaskSpec.Driver.names.joined(separator: ", "))")
      }
    }
    guard let mapping = node.mapping else { throw failure("a driver's name or a mapping of its settings is expected here") }
    let names = Array(mapping.keys.compactMap(\.string))
    if names == ["barys"] {
      _ = try self.mapping("a driver", known: ["barys"])["barys"]?.mapping("the driver 'barys'", known: ["disk"])
      return .barys
    }
    if names.contains("balena-build") { return .balenaBuild(settings: try balenaBuild()) }
    return .command(settings: try ownCommand())
  }

  /// The disk that a driver's settings state; nil where they state none. The settings themselves were read by ``driver()``.
  func driverDisk() throws(ConfigurationError) -> ByteCount? {
    guard node.mapping != nil else { return nil }
    for (name, settings) in try entries("a driver") {
      if name == "disk" { return try settings.byteCount() }
      guard ["barys", "balena-build"].contains(name), settings.node.mapping != nil else { continue }
      for (key, value) in try settings.entries("the driver '\(name)'") where key == "disk" { return try value.byteCount() }
    }
    return nil
  }

  private func balenaBuild() throws(ConfigurationError) -> TaskSpec.BalenaBuild {
    var settings = TaskSpec.BalenaBuild()
    guard let node = try mapping("a driver", known: ["balena-build"])["balena-build"] else { return settings }
    let keys = try node.mapping("the driver 'balena-build'", known: ["apiEnvironment", "arguments", "keepHelperImages", "disk"])
    if let node = keys["apiEnvironment"] {
      settings.apiEnvironment = try node.value("a host name such as balena-cloud.com") { text in
        let isHost = text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46 }
        return isHost && !text.hasPrefix("-") ? text : nil
      }
    }
    if let node = keys["arguments"] {
      settings.arguments = try node.list().map { (item) throws(ConfigurationError) in
        try item.value("one word: the script splits at blanks") { $0.contains(where: \.isWhitespace) ? nil : $0 }
      }
    }
    if let node = keys["keepHelperImages"] { settings.keepsHelperImages = try node.boolean() }
    return settings
  }

  private func ownCommand() throws(ConfigurationError) -> TaskSpec.OwnCommand {
    let keys = try mapping(
      "a driver",
      known: [
        "barys", "balena-build", "command", "variables", "packageArchitectures", "packageIndex", "success", "environment", "features", "disk",
      ])
    guard let command = keys["command"] else {
      throw failure("a driver is one of \(TaskSpec.Driver.names.joined(separator: ", "))")
    }
    for other in ["barys", "balena-build"] {
      if let node = keys[other] { throw node.failure("a repository has one driver: 'command' or '\(other)'") }
    }
    let build = try command.template()
    guard build.uses(.targets) else { throw command.failure("the command must have {targets}, the bitbake targets to build") }
    let architectures: TaskSpec.OwnCommand.Architectures
    switch (keys["variables"], keys["packageArchitectures"]) {
    case (let variables?, nil): architectures = .printed(by: try variables.template())
    case (nil, let fixed?): architectures = .fixed(try fixed.architectureDirectories())
    case (_?, let both?): throw both.failure("'packageArchitectures' is given beside 'variables'; one of them says PACKAGE_ARCHS")
    case (nil, nil):
      throw command.failure(
        "the driver 'command' needs 'variables' (a command that prints what bitbake -e prints) or 'packageArchitectures' (PACKAGE_ARCHS, lowest "
          + "preference first)")
    }
    var settings = TaskSpec.OwnCommand(build: build, architectures: architectures)
    if let node = keys["packageIndex"] { settings.index = try node.list().isEmpty ? .withBuild : .command(try node.template()) }
    if let node = keys["success"] { settings.success = try node.word() }
    if let node = keys["environment"] {
      for (name, value) in try node.entries("the driver's environment") {
        guard TaskSpec.OwnCommand.isVariable(name) else {
          throw value.failure("'\(name)' cannot be set: it is no variable's name, or one of blockfarm's own")
        }
        settings.environment[name] = try value.word()
      }
    }
    if let node = keys["features"] {
      let known = HostFeature.known
      settings.features = try node.list().map { (item) throws(ConfigurationError) in
        try item.value("a feature of a host (\(known.map(\.text).joined(separator: ", ")))") { text in known.first { $0.text == text } }
      }
    }
    return settings
  }

  private func template() throws(ConfigurationError) -> CommandTemplate {
    var words: [CommandTemplate.Word] = []
    for item in try list() { words.append(try item.word()) }
    do { return try CommandTemplate(words) } catch { throw failure(error.description) }
  }

  private func word() throws(ConfigurationError) -> CommandTemplate.Word {
    guard let scalar = node.scalar else { throw failure("a text is expected here; words that begin with '{' need quotes") }
    do { return try CommandTemplate.Word(scalar.string) } catch { throw failure(error.description) }
  }

  private func architectureDirectories() throws(ConfigurationError) -> [String] {
    let names = try list().map { (item) throws(ConfigurationError) in
      try item.value("the name of a package architecture") { RelativePath($0) == nil || $0.contains("/") || $0.contains(" ") ? nil : $0 }
    }
    guard !names.isEmpty, Set(names).count == names.count else { throw failure("package architectures must be named, each once") }
    return names
  }
}
