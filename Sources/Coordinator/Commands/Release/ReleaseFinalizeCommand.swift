import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import Publishing

/// `blockfarm release finalize`: make one draft final.
struct ReleaseFinalizeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "finalize", abstract: "Make one complete draft final. It cannot be undone.",
    discussion: """
      Refused when an image is not whole in the registry, when a hostapp lacks VERSION, VERSION_HOSTOS or device-type.json, when the server calls the release \
      by another version, or when the version exists in another release.
      """)
  @OptionGroup var environment: CloudOptions
  @OptionGroup var arguments: ReleaseArguments
  @Option(name: .long, help: "The version to give the release (default: the version it was named by on this command line).")
  var osVersion: String?
  @Flag(name: .long, help: "Print JSON.")
  var json = false

  func run() async throws {
    let selector = try arguments.selector()
    guard let version = OSVersion(osVersion ?? arguments.release) else {
      throw FarmError.usage(osVersion.map { "'\($0)' is no version" } ?? "a release named by commit or id needs --os-version")
    }
    let session = try await environment.open(for: .changing)
    let name = try session.application(arguments.application)
    let release = try await session.target.finalize(selector, of: name, version: version, rules: AssetRules.always, registry: session.registry)
    if json { try printJSON(release) } else { try Results.print(release.text) }
  }
}
