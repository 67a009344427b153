import BoundedConcurrency
import BuildModel
import CoordinatorConfiguration
import Delivery
import Planning
import Publishing
import Releases

/// What a build has to do with a cloud.
extension Farm {
  /// A session with the cloud that the options name; nil when they name none.
  func cloud(_ options: BuildOptions, notice: @escaping @Sendable (String) -> Void) async throws -> CloudSession? {
    guard let name = options.deploy?.cloud ?? options.lookup else { return nil }
    let cloud = try context.configuration.cloud(named: name)
    return try await CloudSession.open(
      cloud, for: options.deploy == nil ? .reading : .publishing, registries: context.configuration.registries, notice: notice)
  }

  /// The blocks that need not be built. Whoever is to publish must be known to the cloud before anything is built.
  func released(
    _ draft: PlanDraft, _ options: BuildOptions, session: CloudSession?, notice: @Sendable (String) -> Void
  ) async throws -> ReleasedBlocks {
    guard let session else { return ReleasedBlocks() }
    if options.deploy != nil { _ = try await session.target.account() }
    guard !options.rebuild else { return ReleasedBlocks() }
    return try await ReleasedBlocks.look(for: draft, in: session, notice: notice)
  }

  /// Device types that cannot be published as wanted: they fail before anything is built for them, the others go on.
  func refused(_ plan: Plan, _ options: BuildOptions, session: CloudSession?) async throws -> [Slug: Failure] {
    guard let request = options.deploy, let session else { return [:] }
    guard options.request.only != .image || options.request.blocks == .none else {
      throw FarmError.usage("the hostOS release holds hostapp and blocks: publish without --only image, or without blocks")
    }
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
    return Deployment(session: session, request: request, released: released, repositoryURLs: urls, context: context.delivery)
  }
}
