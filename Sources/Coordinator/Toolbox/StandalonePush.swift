import BoundedConcurrency
import BuildModel
import FoundationEssentials
import HTTP
import Registry

/// Puts one image into registries, without a farm.
package struct StandalonePush: Sendable {
  /// `LAYOUT[:NAME]` or `ARCHIVE[:TAG]`.
  package var image: String
  /// Of an image for several platforms, the one to push.
  package var platform: Platform?
  /// `registry/repository:tag`, at least one.
  package var destinations: [String]
  package var format = PushableImage.Format.docker
  package var authFile: String?
  /// PEM file that replaces the system's certificate authorities.
  package var authorities: String?
  /// Speak http to the destinations.
  package var plainHTTP = false
  /// The address of a token service that may see the credentials although it is on another host than the registry.
  package var tokenService: String?
  /// Repositories that may hold the image's layers.
  package var sources: [String] = []
  /// In bytes.
  package var chunkSize: Int64?
  package var notice: @Sendable (String) -> Void = { _ in }

  /// Destinations at once.
  private static let width = 4

  package struct Result: Sendable {
    /// The destination with the digest by which the image is known there.
    package var reference: String
    package var uploaded: Int
    package var uploadedBytes: Int64
    package var mounted: Int
    package var present: Int
  }

  package init(image: String, destinations: [String]) {
    self.image = image
    self.destinations = destinations
  }

  /// All destinations at once, in their order; layers are uploaded once a registry.
  package func run(environment: [String: String]) async throws(ToolboxError) -> [Result] {
    do {
      let references = try destinations.map { try ImageReference($0) }
      let sources = try sources.map { try RepositoryName($0) }
      if let wrong = references.first(where: { $0.digest != nil || $0.tag == nil }) {
        throw ToolboxError.usage("'\(wrong)' must name a tag, and no digest: the digest follows from the image")
      }
      let clients = try clients(for: references, environment: environment)
      // Beside an archive, where there is room for its layers.
      let work = image + ".work-\(UUID().uuidString)"
      defer { try? FileManager.default.removeItem(atPath: work) }
      let local = try await BlockingWork.run { [self] in
        try PushableImage.read(image, platform: platform, format: format, scratch: work, notice: notice)
      }
      return try await push(local, to: references, with: clients, sources: sources)
    } catch {
      throw ToolboxError(error)
    }
  }

  private func clients(for references: [ImageReference], environment: [String: String]) throws -> [RegistryName: RegistryClient] {
    var settings = HTTPSettings()
    settings.authorities = authorities
    settings.notice = notice
    if plainHTTP { settings.plainHTTP = .hosts(try Set(references.map { try HTTPURL("http://\($0.registry)/").origin.host })) }
    let http = try HTTPClient(settings: settings)
    var options = RegistryClient.Settings()
    options.chunkSize = chunkSize
    if let tokenService { options.tokenServices.origins = [try HTTPURL(tokenService).origin] }
    let credentials = try RegistryAccount.credentials(for: Set(references.map(\.registry)), authFile: authFile, environment: environment)
    return try Dictionary(
      uniqueKeysWithValues: credentials.map { ($0, try RegistryClient($0, http: http, credential: $1, settings: options)) })
  }

  private func push(
    _ image: LocalImage, to references: [ImageReference], with clients: [RegistryName: RegistryClient], sources: [RepositoryName]
  ) async throws -> [Result] {
    try await references.concurrentMap(atOnce: Self.width) { reference in
      guard let client = clients[reference.registry], let tag = reference.tag else {
        throw ToolboxError.usage("'\(reference)' must name a registry and a tag")
      }
      let report = try await client.push(image, to: reference.repository, as: .tag(tag), sources: sources)
      return Result(
        reference: "\(reference)@\(report.digest)", uploaded: report.uploaded.count, uploadedBytes: report.uploaded.reduce(0) { $0 + $1.size },
        mounted: report.mounted.count, present: report.present.count)
    }
  }
}
