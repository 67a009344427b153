import ArgumentParser
import FarmService
import Releases

/// What is published, and where.
struct PublishingOptions: ParsableArguments {
  @Option(name: .long, help: "Publish releases: 'none' (the default), 'draft' or 'final'.")
  var deploy = "none"
  @Option(
    name: .long,
    help:
      "The cloud to use: 'production', 'staging', one named in farm.yaml, or a URL. Blocks already released there at this version are fetched instead of built."
  )
  var env: String?
  @Flag(name: .long, help: "Build blocks even if they are already released at this version.")
  var rebuild = false
  @Flag(name: .long, help: "Publish even if this version already exists with different content.")
  var allowConflict = false

  func deployRequest() throws -> DeployRequest? {
    if deploy == "none" {
      guard !allowConflict else { throw FarmError.usage("--allow-conflict belongs to --deploy") }
      guard !rebuild || env != nil else { throw FarmError.usage("--rebuild belongs to --env: without one, blocks are built anyway") }
      return nil
    }
    guard let mode = DeployRequest.Mode(rawValue: deploy) else {
      throw FarmError.usage("unknown value '\(deploy)' of --deploy; known: none, draft, final")
    }
    guard let env else {
      throw FarmError.usage("--deploy \(deploy) needs an explicit cloud: --env production|staging|<name of farm.yaml>|<url>")
    }
    return DeployRequest(mode: mode, cloud: env, isESR: nil, allowConflict: allowConflict)
  }
}
