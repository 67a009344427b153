import BuildModel
import Delivery
import FoundationEssentials
import Glibc
import Planning

extension Farm {
  /// Builds on this machine run as whoever runs blockfarm, and bitbake refuses to run as root: said before anything is made, so that no directory of
  /// root's is in the way of the account that builds next. The plan is tried in a directory that goes again.
  func refuseRoot(_ options: BuildOptions, user: uid_t = geteuid()) async throws {
    guard user == 0 else { return }
    let scratch = FileManager.default.temporaryDirectory.appending(path: "blockfarm-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    var configuration = context.configuration
    configuration.state = scratch.path
    let trial = try Farm(configuration)
    try trial.context.make()
    try await refuseRoot(trial.planned(options) { _ in }.plan, rebuildsBlocks: options.rebuild)
  }

  /// What is at hand already, or is made without bitbake, root may have.
  private func refuseRoot(_ plan: Plan, rebuildsBlocks: Bool) async throws {
    let parts = PartStore(context.delivery)
    var built: [String] = []
    for task in plan.tasks {
      let (system, blocks) = (try await parts.system(task), try await parts.blocks(task))
      let needsSystem = task.system != nil && system == nil
      let needsBlocks = !task.builtBlocks.isEmpty && (rebuildsBlocks || blocks == nil)
      let id = AttemptID(request: RequestID(now: .now), slug: task.slug, number: 1)
      let spec = task.spec(attempt: id, limits: context.configuration.limits, buildsBlocks: needsBlocks, buildsSystem: needsSystem)
      if spec.needsBitbake { built.append(task.slug.text) }
    }
    guard !built.isEmpty else { return }
    throw FarmError.usage(
      "you are root, and bitbake refuses to run as root: run 'blockfarm build --local' as an ordinary user, or build on a host. "
        + "To be built: \(built.prefix(5).joined(separator: ", "))\(built.count > 5 ? " and \(built.count - 5) more" : "")")
  }
}
