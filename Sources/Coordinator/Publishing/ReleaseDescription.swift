import Balena
import BuildModel
import CanonicalJSON
import FoundationEssentials

import struct Crypto.SHA256

/// One release as it is to be, without anything that the server makes up. Two coordinators with the same content describe the same release.
package struct ReleaseDescription: Sendable {
  package struct Service: Hashable, Sendable {
    package var image: PublishableImage
    /// What becomes `image_label` rows and the composition's labels.
    package var labels: [String: String]

    package init(image: PublishableImage, labels: [String: String]) {
      self.image = image
      self.labels = labels
    }
  }

  package let application: ApplicationName
  package let version: ReleaseVersion
  package let services: [String: Service]
  /// Images are named by manifest digest.
  package let composition: BalenaJSON
  package let contract: BalenaJSON?
  package let assets: [Publication.Asset]
  /// Rules that ``assets`` and what is in the cloud must meet.
  package let assetRules: [AssetRules.Rule]
  /// It may never become final; the release says so itself.
  package let isDraftOnly: Bool
  /// What the release is recognised by: the first 40 hex digits of sha256(application, version, content).
  package let commit: String

  package init(
    application: ApplicationName, version: OSVersion, services: [String: Service], composition: BalenaJSON, contract: BalenaJSON?,
    assets: [Publication.Asset] = [], assetRules: [AssetRules.Rule] = [], isDraftOnly: Bool = false
  ) throws {
    self.application = application
    self.version = ReleaseVersion(version)
    self.services = services
    self.composition = composition
    self.contract = try Self.versioned(contract, self.version, of: application)
    self.assets = assets.sorted { $0.key < $1.key }
    self.assetRules = assetRules
    self.isDraftOnly = isDraftOnly
    try Self.check(services, of: application)
    let unmet = AssetRules.unmet(assetRules, by: assets.map(\.key.text))
    guard unmet.isEmpty else {
      throw PublishingError.missingAssets(
        application: application.slug, missing: unmet.map(\.description), found: assets.map(\.key.text).sorted())
    }
    guard Set(assets.map(\.key)).count == assets.count else {
      throw PublishingError.invalid(what: application.slug, reason: "an asset is given twice")
    }
    let content = Content(
      composition: composition, contract: self.contract, images: services.mapValues(\.image.manifest.digest),
      labels: services.mapValues(\.labels), assets: Dictionary(uniqueKeysWithValues: assets.map { ($0.key.text, $0.blob.digest) }),
      draftOnly: isDraftOnly ? true : nil)
    commit = try Self.commit(
      application: application, version: version, content: try Self.sha256(try CanonicalJSON.encode(content)))
    for (what, value) in [("composition", composition), ("contract", self.contract ?? .null)] {
      let size = try CanonicalJSON.encode(value).count
      // The server takes JSON bodies of at most 512 KiB.
      guard size <= 400_000 else { throw PublishingError.invalid(what: "the \(what) of \(application)", reason: "it has \(size) bytes of JSON") }
    }
  }

  /// The first 40 hex digits of sha256 over application, version and content, separated by line ends.
  package static func commit(application: ApplicationName, version: OSVersion, content: Digest) throws -> String {
    String(try sha256(Array("\(application.slug)\n\(version.text)\n\(content)\n".utf8)).hex.prefix(40))
  }

  private struct Content: Encodable {
    let composition: BalenaJSON
    let contract: BalenaJSON?
    let images: [String: Digest]
    let labels: [String: [String: String]]
    let assets: [String: Digest]
    let draftOnly: Bool?
  }

  private static func sha256(_ bytes: [UInt8]) throws(PublishingError) -> Digest {
    guard let digest = Digest(bytes: SHA256.hash(data: bytes)) else { throw .invalid(what: "content", reason: "it has no digest") }
    return digest
  }

  /// The contract with the release's version; the server and its clients accept two types only.
  private static func versioned(
    _ contract: BalenaJSON?, _ version: ReleaseVersion, of application: ApplicationName
  ) throws(PublishingError) -> BalenaJSON? {
    guard let contract else { return nil }
    guard var members = contract.object, let type = members["type"]?.text, ["sw.application", "sw.block"].contains(type) else {
      throw .invalid(what: "the contract of \(application)", reason: "its type is not sw.application or sw.block")
    }
    if let said = members["version"]?.text, said != version.version.text {
      throw .invalid(what: "the contract of \(application)", reason: "it says version \(said), the release is \(version.version.text)")
    }
    members["version"] = version.isStrict ? .text(version.version.text) : nil
    return .object(members)
  }

  /// Limits of the server (balena-cloud-api.md section 6).
  private static func check(_ services: [String: Service], of application: ApplicationName) throws(PublishingError) {
    guard !services.isEmpty else { throw .invalid(what: application.slug, reason: "the release has no service") }
    for (name, service) in services {
      guard (1...63).contains(name.utf8.count) else {
        throw .invalid(what: "service '\(name)' of \(application)", reason: "a name has 1 to 63 characters")
      }
      for (label, value) in service.labels {
        guard !label.isEmpty, label.utf8.count <= 255, value.count <= 300 else {
          throw .invalid(what: "label '\(label)' of service '\(name)' of \(application)", reason: "a value has at most 300 characters")
        }
      }
    }
  }
}
