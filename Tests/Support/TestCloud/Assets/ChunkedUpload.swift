import NIOCore

/// A file that arrives in parts, each put to a link of its own.
struct ChunkedUpload: Sendable {
  struct Part: Sendable {
    var bytes: ByteBuffer
    /// Without quotes.
    var tag: String
  }

  let asset: Int
  let filename: String
  let contentType: String
  let size: Int
  let chunkSize: Int
  let expires: CloudDate
  var parts: [Int: Part] = [:]

  /// Upload records are kept for a week.
  static let keptSeconds = 7 * 24 * 3600

  var partCount: Int { max(1, (size + chunkSize - 1) / chunkSize) }

  func length(of part: Int) -> Int { part < partCount ? chunkSize : size - (partCount - 1) * chunkSize }

  /// The `asset` member of a `beginUpload` body: these keys and no others.
  init(_ description: JSONValue, asset: Int, smallestChunk: Int, now: CloudDate) throws(CloudRefusal) {
    guard let members = description.object, Set(members.keys).isSubset(of: ["filename", "content_type", "size", "chunk_size"]) else {
      throw .invalid("beginUpload takes filename, content_type, size and chunk_size.")
    }
    guard let filename = members["filename"]?.string, let contentType = members["content_type"]?.string, let size = members["size"]?.int,
      size > 0
    else { throw .invalid("beginUpload needs filename, content_type and a size above 0.") }
    let chunk = members["chunk_size"] ?? .integer(10 << 20)
    guard let chunkSize = chunk.int, chunkSize >= smallestChunk else {
      throw .invalid("chunk_size must be at least \(smallestChunk).")
    }
    guard filename.count <= 255, contentType.count <= 129 else { throw .invalid("filename or content_type is too long.") }
    guard (size + chunkSize - 1) / chunkSize <= 10_000 else { throw .invalid("More than 10000 parts.") }
    (self.asset, self.filename, self.contentType, self.size, self.chunkSize) = (asset, filename, contentType, size, chunkSize)
    expires = now.adding(seconds: Self.keptSeconds)
  }

  /// The whole file, if the client's list names every part in order with its tag.
  func assembled(_ list: JSONValue) throws(CloudRefusal) -> StoredAsset {
    guard let listed = list.array, listed.count == partCount else { throw .invalid("providerCommitData must list \(partCount) parts.") }
    var whole = ByteBufferAllocator().buffer(capacity: size)
    for (index, entry) in listed.enumerated() {
      guard entry["PartNumber"].int == index + 1 else { throw .invalid("The parts must be listed in ascending order.") }
      guard let part = parts[index + 1], entry["ETag"].string == part.tag else {
        throw .invalid("Part \(index + 1) was not uploaded with this ETag.")
      }
      whole.writeImmutableBuffer(part.bytes)
    }
    return try StoredAsset(filename: filename, contentType: contentType, bytes: whole)
  }
}
