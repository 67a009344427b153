import ArgumentParser
import BuildModel
import CoordinatorConfiguration
import FarmService
import FoundationEssentials

/// From what and by which rules.
struct BlockWayOptions: ParsableArguments {
  @Option(name: .long, help: "The feed: a directory with one directory a package architecture.")
  var feed: String
  @OptionGroup var architectures: ArchitectureOptions
  @Option(name: .long, help: "A lock: exactly its packages are used, and anything else is an error.")
  var locked: String?
  @Option(name: .long, help: "How the tree becomes layers: \(Layering.allCases.map(\.rawValue).joined(separator: " or ")).")
  var layers: Layering = .single
  @Flag(name: .long, help: "Device nodes may be in packages.")
  var allowDevices = false
  @Option(name: .long, help: "Seconds since 1970 that file times are clamped to (default: the lock's, else SOURCE_DATE_EPOCH, else 0).")
  var epoch: Int64?

  func requiredArchitectures() throws -> [String] {
    guard let names = try architectures.list() else { throw ValidationError("say the order of the feed's directories: --archs or --tune") }
    return names
  }

  func epoch(lock: BlockLock?) -> Int64 {
    epoch ?? lock?.sourceDateEpoch ?? CallerEnvironment.variables["SOURCE_DATE_EPOCH"].flatMap(Int64.init) ?? 0
  }
}
