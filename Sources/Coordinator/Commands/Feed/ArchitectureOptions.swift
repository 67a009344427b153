import ArgumentParser
import FarmService
import Feed
import FoundationEssentials

/// PACKAGE_ARCHS, written out or by the name of a tune.
struct ArchitectureOptions: ParsableArguments {
  @Option(name: .long, help: "PACKAGE_ARCHS, lowest preference first, separated by blanks.")
  var archs: String?
  @Option(name: .long, help: "Instead of --archs: a tune (cortexa72) or a machine (raspberrypi4-64) whose architectures are known.")
  var tune: String?

  /// nil where neither is given.
  func list() throws -> [String]? {
    if archs != nil, tune != nil { throw ValidationError("--archs and --tune exclude each other") }
    if let archs {
      let names = archs.split(separator: " ").map(String.init)
      guard !names.isEmpty else { throw ValidationError("--archs names no architecture") }
      return names
    }
    guard let tune else { return nil }
    do { return try TunePackageArchitectures(tune).architectures } catch { throw FarmError.usage(error.description) }
  }
}
