import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import Publishing

/// `blockfarm release show`: what the cloud has.
struct ReleaseShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show the releases of an application that have a version, commit or id.")
  @OptionGroup var environment: CloudOptions
  @OptionGroup var arguments: ReleaseArguments
  @Flag(name: .long, help: "Print JSON.")
  var json = false

  private struct Listing: Encodable {
    var version = 1
    var releases: [ReleaseReport]
  }

  func run() async throws {
    let (selector, session) = (try arguments.selector(), try await environment.open(for: .reading))
    let name = try session.application(arguments.application)
    let releases = try await session.target.show(selector, of: name)
    if json { return try printJSON(Listing(releases: releases)) }
    for release in releases { try Results.print(release.text) }
  }
}

extension ReleaseReport {
  /// For people.
  var text: String {
    let state = isInvalidated ? "invalidated" : isFinal ? "final" : "draft"
    var lines = ["\(application) \(rawVersion)  id \(id)  \(state)  \(status)", "  commit \(commit)"]
    for (key, value) in tags.sorted(by: { $0.key < $1.key }) { lines.append("  tag \(key)=\(value)") }
    for image in images { lines.append("  image \(image.service)  \(image.location)@\(image.digest?.description ?? "not pushed")  \(image.status)") }
    for asset in assets { lines.append("  asset \(asset.key)  \(asset.size.map { "\(Counted($0, "byte"))" } ?? "no file")") }
    return lines.joined(separator: "\n")
  }
}
