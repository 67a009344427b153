import BlobStore
import BuildModel
import CanonicalJSON
import OCIImage
import Planning
import Store

/// What an attempt made for one step key, kept for use by later requests.
struct SystemPart: Codable, Sendable {
  var artifacts: [Artifact]
  var host: HostName
}

/// Feed and blocks of a device type.
struct BlocksPart: Codable, Sendable {
  var blocks: [BlockResult]
  /// The feed's files (`ipk/…`).
  var artifacts: [Artifact]
  var packageArchitectures: [String]
  var host: HostName
}

/// Finds and records parts by step key. A part whose blobs are not all at hand does not count.
struct ReusableParts: Sendable {
  let environment: FarmEnvironment

  func system(_ task: PlannedTask) async throws -> SystemPart? {
    guard let key = task.systemKey, let part = try await find(key, SystemPart.self) else { return nil }
    return has(part.artifacts.map { BlobDescriptor(digest: $0.digest, size: $0.size) }) ? part : nil
  }

  func blocks(_ task: PlannedTask) async throws -> BlocksPart? {
    guard let key = task.blocksKey(compressor: GzipChunks.identity), let part = try await find(key, BlocksPart.self) else { return nil }
    let blobs = part.blocks.flatMap(\.blobs) + part.artifacts.map { BlobDescriptor(digest: $0.digest, size: $0.size) }
    return has(blobs) ? part : nil
  }

  func find<Part: Decodable>(_ key: Digest, _ type: Part.Type) async throws -> Part? {
    guard let record = try await environment.store.part(key) else { return nil }
    do { return try CanonicalJSON.decode(type, from: record.content) } catch {
      throw StoreError.corrupt(what: "the part \(key) of \(record.slug)", reason: "\(error)")
    }
  }

  func record(_ part: some Encodable, key: Digest, slug: Slug, seconds: Double) async throws {
    try await environment.store.put(
      PartRecord(key: key, slug: slug, content: try CanonicalJSON.encode(part), createdAt: .now, seconds: seconds))
  }

  func has(_ blobs: [BlobDescriptor]) -> Bool { environment.blobs.missing(blobs).isEmpty }
}
