import BlobStore
import BuildModel
import Cloud
import CoordinatorConfiguration
import Planning
import Publishing

/// What a build has to do with a cloud.
extension Farm {
  /// A session with the environment that the options name; nil when they name none.
  func cloud(_ options: BuildOptions) throws(FarmError) -> CloudSession? {
    guard let name = options.deploy?.environment ?? options.lookup else { return nil }
    return try CloudSession(cloudEnvironment(name), reading: options.deploy == nil, registries: environment.configuration.registries)
  }

  private func cloudEnvironment(_ name: String) throws(FarmError) -> CloudEnvironment {
    do { return try environment.configuration.environment(named: name) } catch { throw .usage(error.description) }
  }

  /// The blocks that need not be built.
  func released(
    _ plan: Plan, _ options: BuildOptions, session: CloudSession?, notice: @Sendable (String) -> Void
  ) async throws(FarmError) -> ReleasedBlocks {
    guard let session, !options.rebuild else { return ReleasedBlocks() }
    return try await session.calling { session in try await ReleasedBlocks.look(for: plan, in: session, notice: notice) }
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
    return Deployment(
      session: session, request: request, released: released, repositoryURLs: urls,
      storage: try cloudEnvironment(request.environment).objectStore(http: session.http), environment: environment)
  }
}
