import ArgumentParser
import BuildModel
import CoordinatorConfiguration
import FarmService
import FoundationEssentials
import Toolbox

/// `blockfarm block push`: one image into registries.
struct BlockPushCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "push", abstract: "Put a block's image into a registry, or several repositories at once; repeating it is harmless.",
    discussion: """
      Prints each destination with the digest by which the image is known there. Credentials come from --authfile, else from \
      BLOCKFARM_REGISTRY_TOKEN, else from BLOCKFARM_REGISTRY_USER and BLOCKFARM_REGISTRY_PASSWORD; without any, the push is anonymous. \
      Destinations in several registries need --authfile: the environment's credential is shown to one only.
      """)

  @Argument(help: "An OCI image layout (LAYOUT or LAYOUT:NAME) or a docker-archive (FILE or FILE:TAG).")
  var image: String
  @Argument(help: "registry/repository:tag. May be repeated.")
  var destinations: [String]
  @OptionGroup var platform: ImagePlatformOption
  @Option(name: .long, help: "The manifest to push: docker, which devices refer to, or oci.")
  var format = "docker"
  @Option(name: .customLong("authfile"), help: "Credentials in the form of docker and skopeo; nobody else may be able to read the file.")
  var authFile: String?
  @Option(name: .customLong("ca"), help: "A PEM file with the certificate authorities to trust instead of the system's.")
  var authorities: String?
  @Option(name: .long, help: "A repository of the same registry that may have the layers already. May be repeated.")
  var mountFrom: [String] = []
  @Option(name: .customLong("chunk-mebibytes"), help: "Send large layers in requests of this size (default: in one).")
  var chunkMebibytes: Int64?
  @Option(
    help:
      "A token service that may see the credentials although it is on another host than the registry, as https://host. Docker Hub's is known; others get none."
  )
  var tokenService: String?
  @Flag(name: .customLong("plain-http"), help: "Speak http to the registries; without it only to loopback.")
  var plainHTTP = false

  func run() async throws {
    guard let format = PushableImage.Format(rawValue: format) else { throw ValidationError("'\(format)' is no format; docker or oci") }
    guard !destinations.isEmpty else { throw ValidationError("say where to push to: registry/repository:tag") }
    if let chunkMebibytes, !(1...65536).contains(chunkMebibytes) { throw ValidationError("--chunk-mebibytes takes 1 to 65536") }
    var push = StandalonePush(image: image, destinations: destinations)
    push.platform = try platform.value()
    push.format = format
    push.authFile = authFile
    push.authorities = authorities
    push.plainHTTP = plainHTTP
    push.tokenService = tokenService
    push.sources = mountFrom
    push.chunkSize = chunkMebibytes.map { $0 << 20 }
    push.notice = { Diagnostics.print($0) }
    for result in try await push.run(environment: CallerEnvironment.variables) {
      Diagnostics.print(
        "\(result.reference): \(result.uploaded) uploaded (\(Counted(result.uploadedBytes, "byte"))), \(result.mounted) mounted, \(result.present) there"
      )
      try Results.print(result.reference)
    }
  }
}
