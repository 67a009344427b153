import BuildModel
import Planning
import Scheduling

extension RequestRun {
  /// What a host must have for what is left to build of a device type.
  func need(of item: DeviceTypeProgress, avoiding host: HostName? = nil) async throws -> TaskNeed {
    TaskNeed(
      slug: item.task.slug, machine: item.task.deviceType.yocto.machine, arch: item.task.deviceType.arch, features: features(of: item),
      diskBytes: try await disk(of: item).bytes, queuedAt: item.queuedAt, expectedSeconds: item.expectedSeconds,
      avoid: item.avoid.union([host].compactMap(\.self)))
  }

  /// What earlier attempts of this kind took, else what the configuration states.
  func disk(of item: DeviceTypeProgress) async throws -> ByteCount {
    if let known = item.disk { return known }
    let needs = needs(item)
    let seen = try await context.store.diskBytes(
      of: item.task.slug, system: needs.system, blocks: needs.blocks, limit: DiskNeed.attemptsSeen)
    let need = DiskNeed.need(stated: context.configuration.disk(ofRepository: item.task.source.repository), seen: seen)
    work[item.task.slug]?.disk = need
    return need
  }

  private func features(of item: DeviceTypeProgress) -> Set<HostFeature> {
    let needs = needs(item)
    let id = AttemptID(request: request.id, slug: item.task.slug, number: 1)
    return item.task.spec(attempt: id, limits: context.configuration.limits, buildsBlocks: needs.blocks, buildsSystem: needs.system).features
  }
}
