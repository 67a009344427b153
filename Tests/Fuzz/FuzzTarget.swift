import BuildModel
import Feed
import FoundationEssentials
import OCIImage

@testable import Planning

/// What is fed with foreign bytes. Refusing them is right; crashing, hanging, and accepting what breaks a promise is not.
enum FuzzTarget: String, CaseIterable {
  /// A whole package.
  case ipk
  /// The data archive of a sound package, so that nearly every input gets as far as the tar.
  case tar
  /// The control file of a package.
  case control
  /// `Packages`.
  case index
  case version
  /// `Provides`, `Conflicts`, `Replaces`.
  case relations
  case contract
  /// A hostOS composition.
  case composition
  /// A docker-archive of anybody.
  case archive
  /// A device type's CoffeeScript manifest.
  case coffee
  /// Image manifests, and indexes of layouts and registries.
  case manifest
  /// Image configurations.
  case config

  /// The one that this process fuzzes, set before the first input.
  nonisolated(unsafe) static var current = FuzzTarget.ipk

  func take(_ bytes: [UInt8]) {
    switch self {
    case .ipk: PackageInput.take(bytes)
    case .tar: PackageInput.take(PackageInput.package(data: bytes))
    case .control: IndexInput.control(bytes)
    case .index: IndexInput.index(bytes)
    case .version: IndexInput.version(bytes)
    case .relations: IndexInput.relations(bytes)
    case .contract: _ = try? Contract.parse(bytes, file: "contract.json")
    case .composition: DocumentInput.composition(bytes)
    case .archive: ArchiveInput.take(bytes)
    case .coffee: _ = try? ManifestFields.coffee(bytes, path: "device.coffee")
    case .manifest:
      DocumentInput.roundTrip(ImageManifest.self, bytes) { try $0.bytes() }
      _ = try? ManifestDocument(bytes)
    case .config:
      DocumentInput.roundTrip(ImageConfig.self, bytes) { try $0.bytes() }
      _ = try? StoredImage.Config(bytes)
    }
  }
}

/// Stops the run with a crash that libFuzzer keeps the input of.
func demand(_ isTrue: Bool, _ promise: @autoclosure () -> String) {
  if !isTrue { fatalError("broken promise: \(promise())") }
}
