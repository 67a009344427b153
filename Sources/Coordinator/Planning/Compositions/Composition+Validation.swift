import BuildModel
import FoundationEssentials

extension Composition {
  /// Cleans the merged document (null services go, null parts of a service that mean "absent" too) and holds it to every rule.
  init(
    validating merged: CompositionValue, base: CompositionDocument?, overlay: CompositionDocument?, systemTargets: [RecipeName]
  ) throws(PlanningError) {
    let check = CompositionCheck(base: base, overlay: overlay)
    var document = merged
    let given: [String: CompositionValue]
    switch merged["services"] {
    case .map(let map): given = map.filter { $0.value != .null }
    case nil, .null: given = [:]
    case let other?: throw check.wrong(nil, .shape, "'services' is \(other.kind) instead of a mapping")
    }
    guard !given.isEmpty else { throw check.wrong(nil, .noServices, "it has no service") }
    var cleaned: [String: CompositionValue] = [:]
    var services: [Service] = []
    var files: [BlockName: String] = [:]
    for (key, value) in given.sorted(by: { $0.key < $1.key }) {
      let (service, clean) = try check.service(key, value)
      services.append(service)
      cleaned[key] = clean
      files[service.name] = check.file(of: key)
    }
    document["services"] = .map(cleaned)
    try check.whole(services, systemTargets: systemTargets)
    try check.placeholders(document)
    self.init(document: document, services: services, files: files)
  }
}

/// The rules of one composition; complaints name the file that had the last word on a service.
private struct CompositionCheck {
  var base: CompositionDocument?
  var overlay: CompositionDocument?

  func file(of service: String?) -> String { document(of: service)?.file ?? "composition" }

  private func document(of service: String?) -> CompositionDocument? {
    if let overlay, base == nil || service == nil || overlay.value["services"]?[service ?? ""] != nil { return overlay }
    return base
  }

  func wrong(_ service: String?, _ rule: CompositionRule, _ reason: String) -> PlanningError {
    let place = ["services", service].compactMap(\.self).joined(separator: "/")
    // What stands outside of the services is not where they begin.
    let line = service == nil && rule == .misplacedPlaceholder ? nil : document(of: service)?.lines[place]
    return .composition(file: file(of: service), line: line, service: service, rule: rule, reason: reason)
  }

  // MARK: one service

  func service(_ key: String, _ given: CompositionValue) throws(PlanningError) -> (Composition.Service, CompositionValue) {
    guard let name = try? BlockName(key) else { throw wrong(nil, .serviceName, "'\(key.prefix(160))' is not a service name") }
    guard var map = given.map else { throw wrong(key, .shape, "it is \(given.kind) instead of a mapping") }
    for part in ["image", "x-build", "labels"] where map[part] == .null { map[part] = nil }
    let labels = try labels(map["labels"], of: key)
    if map["labels"] != nil { map["labels"] = .map(labels.mapValues { .text($0) }) }
    let imageClass = labels["io.balena.image.class"] ?? "overlay"
    var build = try map["x-build"].map { (value) throws(PlanningError) in try self.build(value, of: key) }
    if imageClass == Composition.hostappClass, build != nil, map["x-build"]?["assets"] == nil {
      build?.assets = Self.hostappAssets
      map["x-build"]?["assets"] = .list(Self.hostappAssets.map { .text($0) })
    }
    let provenance = try provenance(image: map["image"], build: build, of: key)
    return (Composition.Service(name: name, imageClass: imageClass, labels: labels, provenance: provenance), .map(map))
  }

  /// What a hostapp publishes that names no assets.
  private static let hostappAssets = [
    "images/__MACHINE__/VERSION", "images/__MACHINE__/VERSION_HOSTOS", "images/__MACHINE__/image*.json",
    "images/__MACHINE__/compressed*/part-*.deflate", "images/__MACHINE__/*.manifest", "images/__MACHINE__/kernel_modules_headers.tar.gz",
    "images/__MACHINE__/rpi-eeprom/secure-boot-lock/**", "cyclonedx-export/**/*.json", "licenses/**",
  ]

  private func labels(_ value: CompositionValue?, of service: String) throws(PlanningError) -> [String: String] {
    guard let value else { return [:] }
    guard let map = value.map else { throw wrong(service, .shape, "'labels' is \(value.kind) instead of a mapping") }
    var labels: [String: String] = [:]
    for (key, value) in map {
      switch value {
      case .null: continue
      case .text(let text): labels[key] = text
      case .flag(let flag): labels[key] = "\(flag)"
      case .integer(let number): labels[key] = "\(number)"
      default: throw wrong(service, .shape, "label '\(key.prefix(160))' is \(value.kind) instead of a text")
      }
    }
    return labels
  }

  private func build(_ value: CompositionValue, of service: String) throws(PlanningError) -> Composition.Build {
    guard let map = value.map else { throw wrong(service, .shape, "'x-build' is \(value.kind) instead of a mapping") }
    let known = ["recipe", "build_args", "assets"]
    for key in map.keys.sorted() where !known.contains(key) {
      throw wrong(service, .unknownBuildKey, "unknown key '\(key.prefix(160))' in 'x-build'; known are \(known.joined(separator: ", "))")
    }
    var recipe: RecipeName?
    if let value = map["recipe"], value != .null {
      guard let text = value.text, let name = try? RecipeName(text) else {
        throw wrong(service, .badRecipe, "'x-build.recipe' is \(value.text.map { "'\($0.prefix(160))', which is not a recipe name" } ?? value.kind)")
      }
      recipe = name
    }
    // A word of its own is what a blank divides: the wrapper takes them joined by blanks.
    let words = try texts(map["build_args"], "build_args", .badArgument, of: service) { isPrintable($0) }
      .flatMap { $0.split(separator: " ").map(String.init) }
    let assets = try texts(map["assets"], "assets", .badAsset, of: service) { text in
      RelativePath(text.hasSuffix("/") ? String(text.dropLast()) : text) != nil
    }
    return Composition.Build(recipe: recipe, arguments: words, assets: assets)
  }

  private func texts(
    _ value: CompositionValue?, _ name: String, _ rule: CompositionRule, of service: String, where isGood: (String) -> Bool
  ) throws(PlanningError) -> [String] {
    guard let value, value != .null else { return [] }
    guard case .list(let list) = value else { throw wrong(service, .shape, "'x-build.\(name)' is \(value.kind) instead of a list") }
    var found: [String] = []
    for item in list {
      guard let text = item.text else { throw wrong(service, .shape, "'x-build.\(name)' holds \(item.kind) instead of a text") }
      guard isGood(text) else { throw wrong(service, rule, "'\(text.prefix(160))' cannot stand in 'x-build.\(name)'") }
      found.append(text)
    }
    return found
  }

  private func isPrintable(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { $0 >= 32 && $0 != 127 } }

  private func provenance(
    image: CompositionValue?, build: Composition.Build?, of service: String
  ) throws(PlanningError) -> Composition.Provenance {
    let slot = Composition.Placeholder.output
    switch (image, build) {
    case (nil, nil): throw wrong(service, .noProvenance, "it has neither an image nor x-build, so nothing says where its image comes from")
    case (.text(slot), nil): throw wrong(service, .buildSlotWithoutBuild, "its image is \(slot), but it has no x-build")
    case (.text(slot), let build?): return .built(build)
    case (_, .some):
      throw wrong(
        service, .buildWithoutBuildSlot,
        "it has x-build, but its image is \(image?.text.map { "'\($0.prefix(160))'" } ?? "not given") instead of \(slot)")
    case (.text(let reference)?, nil):
      guard (try? ImageReference(familiar: reference)) != nil else {
        throw wrong(service, .badImage, "'\(reference.prefix(160))' is no image reference")
      }
      return .registry(reference: reference)
    case (let other?, nil): throw wrong(service, .shape, "'image' is \(other.kind) instead of a text")
    }
  }

  // MARK: the whole

  func whole(_ services: [Composition.Service], systemTargets: [RecipeName]) throws(PlanningError) {
    let built = services.compactMap { service in if case .built(let build) = service.provenance { (service: service, build: build) } else { nil } }
    guard !built.isEmpty else { throw wrong(nil, .nothingToBuild, "no service is built (x-build)") }
    let hostapps = services.filter(\.isHostapp).map(\.name.text)
    guard hostapps.count <= 1 else {
      throw wrong(hostapps[1], .severalHostapps, "it is of class hostapp, and so is \(hostapps[0])")
    }
    guard let hostapp = built.first(where: { $0.service.isHostapp }) else {
      throw wrong(hostapps.first, .missingHostapp, "no built service has the label io.balena.image.class: hostapp")
    }
    let own = Set(systemTargets.map(\.text)).union([Composition.hostappRecipe])
    let name = hostapp.service.name.text
    if let recipe = hostapp.build.recipe, !own.contains(recipe.text) {
      throw wrong(name, .hostappRecipe, "it is built by \(recipe), but the device type's image is \(own.sorted().joined(separator: " "))")
    }
    guard hostapp.build.arguments.isEmpty else {
      throw wrong(name, .hostappArguments, "build_args of the hostapp are not supported: the device type's image is built without them")
    }
    var owners: [String: String] = [:]
    for (service, build) in built where !service.isHostapp {
      let key = service.name.text
      guard let recipe = build.recipe else {
        throw wrong(key, .duplicateOutput, "its x-build names no recipe, so its image would be that of \(name)")
      }
      guard !own.contains(recipe.text) else {
        throw wrong(key, .duplicateOutput, "recipe \(recipe) makes the image of \(name)")
      }
      if let first = owners.updateValue(key, forKey: recipe.text) {
        throw wrong(key, .duplicateRecipe, "recipe \(recipe) is built for \(first) already")
      }
    }
  }

  /// The output's placeholder is replaced only as the image of a built service; anywhere else it would reach the device.
  func placeholders(_ document: CompositionValue) throws(PlanningError) {
    func holds(_ value: CompositionValue) -> Bool { value.containsText { $0.contains(Composition.Placeholder.output) } }
    for (key, value) in (document["services"]?.map ?? [:]).sorted(by: { $0.key < $1.key }) {
      var rest = value
      rest["image"] = nil
      if holds(rest) { throw wrong(key, .misplacedPlaceholder, "\(Composition.Placeholder.output) stands elsewhere than as the whole of 'image'") }
    }
    var rest = document
    rest["services"] = nil
    if holds(rest) { throw wrong(nil, .misplacedPlaceholder, "\(Composition.Placeholder.output) stands outside of 'services'") }
  }
}
