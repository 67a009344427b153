import BlobStore
import BuildModel
import CanonicalJSON
import OCIImage
import Planning
import Store

/// Finds and records parts by step key, so that equal work is done once. A part whose blobs are not all at hand does not count.
package struct PartStore: Sendable {
  let context: DeliveryContext

  package init(_ context: DeliveryContext) { self.context = context }

  package func system(_ task: PlannedTask) async throws -> SystemPart? {
    guard let key = task.systemKey, let part = try await find(key, SystemPart.self) else { return nil }
    return has(part.artifacts.map(\.blob)) ? part : nil
  }

  package func blocks(_ task: PlannedTask) async throws -> BlocksPart? {
    guard let key = task.blocksKey(compressor: GzipChunks.identity), let part = try await find(key, BlocksPart.self) else { return nil }
    let blobs = part.blocks.flatMap(\.blobs) + part.artifacts.map(\.blob)
    return has(blobs) ? part : nil
  }

  /// Of a finished attempt: both parts, under the keys of the task.
  func record(_ outcome: Outcome, of task: PlannedTask, spec: TaskSpec, host: HostName) async throws {
    let seconds = outcome.endedAt.seconds(since: outcome.startedAt)
    if spec.system != nil, let key = task.systemKey {
      let part = SystemPart(artifacts: outcome.artifacts.filter { !$0.isOfBlocks }, host: host, isolation: outcome.isolation)
      try await record(part, key: key, slug: task.slug, seconds: seconds)
    }
    if !spec.blocks.isEmpty, let key = task.blocksKey(compressor: GzipChunks.identity) {
      let part = BlocksPart(
        blocks: outcome.blocks, artifacts: outcome.artifacts.filter(\.isOfBlocks), packageArchitectures: outcome.packageArchitectures, host: host,
        isolation: outcome.isolation)
      try await record(part, key: key, slug: task.slug, seconds: seconds)
    }
  }

  func find<Part: Decodable>(_ key: Digest, _ type: Part.Type) async throws -> Part? {
    guard let record = try await context.store.part(key) else { return nil }
    return try CanonicalJSON.decode(type, from: record.content)
  }

  func record(_ part: some Encodable, key: Digest, slug: Slug, seconds: Double) async throws {
    try await context.store.put(
      PartRecord(key: key, slug: slug, content: try CanonicalJSON.encode(part), createdAt: .now, seconds: seconds))
  }

  func has(_ blobs: [BlobDescriptor]) -> Bool { context.blobs.missing(blobs).isEmpty }
}

extension Artifact {
  /// The feed, and the assets of blocks that are built by recipes.
  fileprivate var isOfBlocks: Bool { role == .feed || path.text.hasPrefix("service/") }
}
