import BoundedConcurrency
import BuildModel
import Cloud
import CoordinatorConfiguration
import Planning
import Publishing

/// What a build has to do with a cloud.
extension Farm {
  /// A session with the environment that the options name; nil when they name none.
  func cloud(_ options: BuildOptions, notice: @escaping @Sendable (String) -> Void) async throws(FarmError) -> CloudSession? {
    guard let name = options.deploy?.environment ?? options.lookup else { return nil }
    let cloud: CloudEnvironment
    do { cloud = try environment.configuration.environment(named: name) } catch { throw .usage(error.description) }
    return try await CloudSession.open(
      cloud, for: options.deploy == nil ? .reading : .publishing, registries: environment.configuration.registries, notice: notice)
  }

  /// The blocks that need not be built. Whoever is to publish must be known to the cloud before anything is built.
  func released(
    _ plan: Plan, _ options: BuildOptions, session: CloudSession?, notice: @Sendable (String) -> Void
  ) async throws(FarmError) -> ReleasedBlocks {
    guard let session else { return ReleasedBlocks() }
    if options.deploy != nil { try await session.calling { session in _ = try await session.target.account() } }
    guard !options.rebuild else { return ReleasedBlocks() }
    return try await session.calling { session in try await ReleasedBlocks.look(for: plan, in: session, notice: notice) }
  }

  /// Device types that cannot be published as wanted: they fail before anything is built for them, the others go on.
  func refused(_ plan: Plan, _ options: BuildOptions, session: CloudSession?) async throws(FarmError) -> [Slug: Failure] {
    guard let request = options.deploy, let session else { return [:] }
    guard options.request.only != .image || options.request.blocks == .none else {
      throw .usage("the hostOS release holds hostapp and blocks: publish without --only image, or without blocks")
    }
    return try await session.calling { session in
      var refused: [Slug: Failure] = [:]
      for task in plan.tasks {
        if let refusal = Deployment.refusal(of: task, request) {
          refused[task.slug] = refusal
        } else if try await session.target.client.deviceType(task.slug.text) == nil {
          refused[task.slug] = Failure(
            kind: .rejected, step: .publish, reason: "\(session.target.client.api.origin) knows no device type '\(task.slug)'")
        }
      }
      return refused
    }
  }

  /// Of released blocks those that an earlier request of this farm did not make, byte for byte: what is at hand is used as if nothing were released, with
  /// all that is known of it, so that a request that was cut off while it published goes on as the same one.
  func notAtHand(_ released: ReleasedBlocks, for plan: Plan) async throws(FarmError) -> ReleasedBlocks {
    var rest = released
    let parts = ReusableParts(environment: environment)
    for task in plan.tasks {
      guard let references = released.references[task.slug] else { continue }
      do {
        guard let made = try await parts.blocks(task)?.blocks else { continue }
        let isSame = references.allSatisfy { name, reference in
          made.contains { $0.name == name && reference.hasSuffix("@\($0.dockerManifest.digest)") }
        }
        if isSame { rest.references[task.slug] = nil }
      } catch {
        throw .farm("\(error)")
      }
    }
    return rest
  }

  /// What publishes each device type; nil when nothing is to be published.
  func deployment(of plan: Plan, _ options: BuildOptions, session: CloudSession?, released: ReleasedBlocks) async throws -> Deployment? {
    guard let request = options.deploy, let session else { return nil }
    let urls = try await BlockingWork.run {
      var urls: [String: String] = [:]
      for task in plan.tasks where urls[task.source.repository] == nil {
        urls[task.source.repository] = try RepositoryURL.read(task.source, in: plan)
      }
      return urls
    }
    return Deployment(session: session, request: request, released: released, repositoryURLs: urls, environment: environment)
  }
}
