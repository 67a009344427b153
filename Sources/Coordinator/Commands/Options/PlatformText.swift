import ArgumentParser
import BuildModel

/// `--platform` of commands that take an image: which one, where it exists for several.
struct ImagePlatformOption: ParsableArguments {
  @Option(name: .long, help: "Of an image for several platforms, the one to take: os/architecture or os/architecture/variant.")
  var platform: String?

  func value() throws -> Platform? { try platform.map { try PlatformText.platform($0) } }
}

/// Platforms as people write them.
enum PlatformText {
  static func platform(_ text: String) throws -> Platform {
    guard let platform = Platform(text) else { throw ValidationError("'\(text)' is not os/architecture or os/architecture/variant") }
    return platform
  }
}
