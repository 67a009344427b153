import Balena
import BuildModel

/// Compositions of releases (Compose file format 2.x, balena-cloud-api.md section 10).
package enum ReleaseComposition {
  package typealias Service = ReleaseDescription.Service

  /// Labels of balena's images.
  package enum Label {
    package static let imageClass = "io.balena.image.class"
    package static let store = "io.balena.image.store"
    package static let requiresReboot = "io.balena.update.requires-reboot"
    /// The former name; devices of that time know no other.
    package static let formerRequiresReboot = "io.balena.image.requires-reboot"
    package static let boardRevision = "io.balena.private.hostapp.board-rev"
  }

  /// What a block's service carries where its image does not say otherwise.
  package static let blockDefaults = [Label.imageClass: "overlay", Label.store: "data", Label.formerRequiresReboot: "1"]

  package static func blockService(_ image: PublishableImage) -> Service {
    Service(image: image, labels: balenaLabels(image.labels).merging(blockDefaults) { own, _ in own })
  }

  /// The hostapp in its own application.
  package static func hostappService(_ hostapp: Publication.Hostapp) -> Service {
    var labels = balenaLabels(hostapp.image.labels)
    for (name, value) in [Label.imageClass: "hostapp", Label.store: "root", Label.requiresReboot: "1"] where labels[name] == nil {
      labels[name] = value
    }
    if let revision = hostapp.boardRevision { labels[Label.boardRevision] = revision }
    return Service(image: hostapp.image, labels: labels)
  }

  /// The hostapp beside its blocks in `<slug>-hostos`.
  static func bootableService(_ hostapp: Publication.Hostapp) -> Service {
    var labels = [Label.imageClass: "service", Label.store: "root", Label.formerRequiresReboot: "1"]
    if let revision = hostapp.boardRevision { labels[Label.boardRevision] = revision }
    return Service(image: hostapp.image, labels: labels)
  }

  /// A composition of these services and nothing else.
  package static func plain(_ services: [String: Service], version: String) -> BalenaJSON {
    let entries = services.mapValues { service -> BalenaJSON in
      ["image": .text(service.image.manifest.digest.description), "labels": .object(service.labels.mapValues { .text($0) })]
    }
    return ["version": .text(version), "services": .object(entries)]
  }

  /// Services and composition of the hostOS release.
  ///
  /// Without a merged composition: `bootable` and one service a block, named as the block. With one, its services as they are: every one gets its
  /// image by name (the service whose class is `hostapp` gets the hostapp), `x-build` is taken out, and labels of the composition come before the
  /// image's own.
  package static func hostOS(_ hostapp: Publication.Hostapp, blocks: [Publication.Block]) throws(PublishingError) -> ([String: Service], BalenaJSON) {
    guard let merged = hostapp.composition else {
      var services = ["bootable": bootableService(hostapp)]
      for block in blocks {
        guard services.updateValue(blockService(block.image), forKey: block.name.text) == nil else {
          throw .invalid(what: "block '\(block.name)'", reason: "two services of the hostOS release would have its name")
        }
      }
      return (services, plain(services, version: "2"))
    }
    guard var members = merged.object, var entries = members["services"]?.object, !entries.isEmpty else {
      throw .invalid(what: "the composition", reason: "it has no services")
    }
    var services: [String: Service] = [:]
    for (name, entry) in entries {
      guard var entryMembers = entry.object else { throw .invalid(what: "service '\(name)' of the composition", reason: "it is no mapping") }
      var labels = try labels(of: entryMembers["labels"], service: name)
      let isHostapp = labels[Label.imageClass] == "hostapp"
      let image = isHostapp ? hostapp.image : blocks.first { $0.name.text == name }?.image ?? hostapp.otherImages[name]
      guard let image else {
        throw .notFound(
          what: "image for service '\(name)' of the composition",
          available: (blocks.map(\.name.text) + hostapp.otherImages.keys).sorted())
      }
      labels = labels.merging(balenaLabels(image.labels)) { own, _ in own }
      services[name] = Service(image: image, labels: labels)
      entryMembers["x-build"] = nil
      entryMembers["image"] = .text(image.manifest.digest.description)
      entryMembers["labels"] = .object(labels.mapValues { .text($0) })
      entries[name] = .object(entryMembers)
    }
    guard services.values.contains(where: { $0.labels[Label.imageClass] == "hostapp" }) else {
      throw .invalid(what: "the composition", reason: "no service has the class hostapp; it has \(services.keys.sorted().joined(separator: ", "))")
    }
    for block in blocks where services[block.name.text] == nil {
      throw .invalid(what: "the composition", reason: "it has no service for block '\(block.name)'")
    }
    members["services"] = .object(entries)
    guard !holdsPlaceholder(.object(members)) else {
      throw .invalid(what: "the composition", reason: "a placeholder as __BUILD_OUTPUT__ is left in it")
    }
    return (services, .object(members))
  }

  /// Labels as a map or as a list of `key=value`.
  private static func labels(of value: BalenaJSON?, service: String) throws(PublishingError) -> [String: String] {
    var labels: [String: String] = [:]
    switch value {
    case nil, .null: break
    case .object(let members):
      for (name, value) in members {
        guard let text = value == .null ? "" : value.labelText else {
          throw .invalid(what: "label '\(name)' of service '\(service)'", reason: "it is no text")
        }
        labels[name] = text
      }
    case .list(let items):
      for item in items {
        guard let text = item.text else { throw .invalid(what: "the labels of service '\(service)'", reason: "one is no text") }
        let equals = text.firstIndex(of: "=")
        labels[String(equals.map { text[..<$0] } ?? text[...])] = equals.map { String(text[text.index(after: $0)...]) } ?? ""
      }
    default: throw .invalid(what: "the labels of service '\(service)'", reason: "they are neither a mapping nor a list")
    }
    return labels
  }

  /// Only balena's own labels concern a device; base images bring others.
  private static func balenaLabels(_ labels: [String: String]) -> [String: String] {
    labels.filter { $0.key.hasPrefix("io.balena.") || $0.key.hasPrefix("io.resin.") }
  }

  private static func holdsPlaceholder(_ value: BalenaJSON) -> Bool {
    switch value {
    case .text(let text): text.contains("__BUILD_OUTPUT__") || text.contains("__DEVICE_REPO_REV__") || text.contains("__MACHINE__")
    case .list(let items): items.contains(where: holdsPlaceholder)
    case .object(let members): members.values.contains(where: holdsPlaceholder)
    case .null, .flag, .integer, .number: false
    }
  }
}
