import BuildModel
import FoundationEssentials

/// The composition of a machine's hostOS: the hostapp and the images that lie over it, merged from the repository's files and valid.
///
/// Placeholders are still in it. Two compositions are equal when their documents are, wherever they were read; the JSON form is the document.
package struct Composition: Sendable {
  /// One service, as the rest of blockfarm sees it.
  package struct Service: Hashable, Sendable {
    package var name: BlockName
    /// `io.balena.image.class`, `overlay` where the label is absent.
    package var imageClass: String
    package var labels: [String: String]
    package var provenance: Provenance
    package var isHostapp: Bool { imageClass == Composition.hostappClass }
  }
  /// Where a service's image comes from: exactly one of the two.
  package enum Provenance: Hashable, Sendable {
    case built(Build)
    /// A registry's reference, taken as it is.
    case registry(reference: String)
  }
  /// `x-build`.
  package struct Build: Hashable, Sendable {
    /// nil for the hostapp alone: the device type's own image.
    package var recipe: RecipeName?
    /// Words for the build wrapper, behind those that every build has.
    package var arguments: [String]
    /// Globs below `build/tmp/deploy/`, `__MACHINE__` still in them.
    package var assets: [String]

    /// The globs for one machine.
    package func assets(for machine: Machine) -> [String] { assets.map { $0.replacing(Placeholder.machine, with: machine.text) } }
  }

  /// Texts that stand for what only a build knows.
  package enum Placeholder {
    /// As the whole of a built service's `image`: the image that was made.
    package static let output = "__BUILD_OUTPUT__"
    /// As the whole of any text: the device repository's short commit id.
    package static let revision = "__DEVICE_REPO_REV__"
    /// Anywhere in an asset's glob: the machine.
    package static let machine = "__MACHINE__"
  }

  package static let hostappClass = "hostapp"
  /// The recipe whose image the hostapp is when it names none.
  static let hostappRecipe = "balena-image"
  /// The file of meta-balena, below a device repository's root.
  package static let basePath = "layers/meta-balena/hostapp.yml"
  /// How the file of a machine ends; it lies in the repository's root.
  package static let overlaySuffix = ".hostapp.yml"

  /// The merged document: mapping of mappings, no service is null, `x-build` is absent rather than null, labels are texts.
  package let document: CompositionValue
  /// By name.
  package let services: [Service]
  /// Which file had the last word on a service; empty when this was read from JSON.
  package let files: [BlockName: String]

  /// Only made by ``init(validating:base:overlay:systemTargets:)``, which holds the rules.
  init(document: CompositionValue, services: [Service], files: [BlockName: String]) {
    self.document = document
    self.services = services
    self.files = files
  }

  /// Lays a machine's file over meta-balena's; one of them may be absent. `systemTargets` are the bitbake targets of the device type's own image,
  /// which no other service may build.
  package static func merge(
    base: CompositionDocument?, overlay: CompositionDocument?, systemTargets: [RecipeName] = []
  ) throws(PlanningError) -> Composition {
    let document: CompositionValue =
      switch (base, overlay) {
      case (let base?, let overlay?): base.value.merged(with: overlay.value)
      case (let one?, nil), (nil, let one?): one.value
      case (nil, nil): .map([:])
      }
    return try Composition(validating: document, base: base, overlay: overlay, systemTargets: systemTargets)
  }

  /// The hostapp; there is exactly one.
  package var hostapp: Service {
    guard let hostapp = services.first(where: \.isHostapp) else { preconditionFailure("a composition has a hostapp") }
    return hostapp
  }
}

extension Composition {
  private func documentAt(_ revision: String) -> CompositionValue { document.mapTexts { $0 == Placeholder.revision ? revision : $0 } }

  /// The document for a release that holds the hostapp and exactly these blocks, their images not yet in it: services that were not asked for
  /// are left out, blocks that are no service (those of contracts) become one.
  package func document(with blocks: [BlockName], revision: String) -> CompositionValue {
    var document = documentAt(revision)
    let kept = Set(blocks + [hostapp.name]).map(\.text)
    var services = (document["services"]?.map ?? [:]).filter { kept.contains($0.key) }
    for block in blocks where services[block.text] == nil {
      services[block.text] = .map(["image": .text(Placeholder.output), "labels": .map([:])])
    }
    document["services"] = .map(services)
    return document
  }
}

extension Composition: Hashable {
  package static func == (a: Composition, b: Composition) -> Bool { a.document == b.document }
  package func hash(into hasher: inout Hasher) { hasher.combine(document) }
}

extension Composition: Codable {
  package init(from decoder: any Decoder) throws {
    try self.init(validating: CompositionValue(from: decoder), base: nil, overlay: nil, systemTargets: [])
  }
  package func encode(to encoder: any Encoder) throws { try document.encode(to: encoder) }
}
