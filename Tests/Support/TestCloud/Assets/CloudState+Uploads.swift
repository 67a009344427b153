import Crypto
import FoundationEssentials
import HTTPTypes

extension CloudState {
  private func assetRow(_ call: ODataCall) throws(CloudRefusal) -> CloudRow {
    guard call.target.key != nil, let row = try rows(call, isAllowed: { call.access.canWrite(call.resource, $0) }).first else {
      throw .unauthorized
    }
    return row
  }

  mutating func beginUpload(_ call: ODataCall) throws(CloudRefusal) -> CloudReply {
    let row = try assetRow(call)
    let body = try call.request.object()
    guard Set(body.keys) == ["asset"], let description = body["asset"] else { throw .invalid("beginUpload takes \"asset\" alone.") }
    let upload = try ChunkedUpload(description, asset: row.id, smallestChunk: configuration.smallestChunk, now: call.now)
    let uuid = Randomness.uuid()
    assets.uploads[uuid] = upload
    let parts: [JSONValue] = (1...upload.partCount).map { number in
      [
        "url": .string(assets.link("part/\(uuid)/\(number)", url: publicURL, seconds: ChunkedUpload.keptSeconds, now: call.now)),
        "chunkSize": .integer(upload.length(of: number)), "partNumber": .integer(number),
      ]
    }
    return .json(["asset": ["uuid": .string(uuid), "uploadParts": .array(parts)]])
  }

  mutating func commitUpload(_ call: ODataCall) throws(CloudRefusal) -> CloudReply {
    let row = try assetRow(call)
    let body = try call.request.object()
    guard Set(body.keys).isSubset(of: ["uuid", "providerCommitData"]) else { throw .invalid("commitUpload takes uuid and providerCommitData.") }
    let (uuid, upload) = try upload(body, row, now: call.now)
    var changed = row
    changed.values["asset"] = try assets.keep(try upload.assembled(body["providerCommitData"]?["Parts"] ?? .null))
    assets.uploads[uuid] = nil
    let change = RowChange(resource: call.resource, old: row, new: changed, named: ["asset"], now: call.now)
    try database.update("release_asset", changed)
    try finish(change)
    return .json(assets.told(changed["asset"], url: publicURL, seconds: configuration.assetLinkSeconds, now: call.now))
  }

  mutating func cancelUpload(_ call: ODataCall) throws(CloudRefusal) -> CloudReply {
    let row = try assetRow(call)
    let (uuid, _) = try upload(try call.request.object(), row, now: call.now)
    assets.uploads[uuid] = nil
    return .empty(204)
  }

  /// 401 for what is unknown, used or too old.
  private func upload(_ body: [String: JSONValue], _ row: CloudRow, now: CloudDate) throws(CloudRefusal) -> (String, ChunkedUpload) {
    guard let uuid = body["uuid"]?.string, let upload = assets.uploads[uuid], upload.asset == row.id, upload.expires > now else {
      throw .unauthorized
    }
    return (uuid, upload)
  }

  /// What an object store does: gives objects, takes parts.
  mutating func storage(_ request: CloudRequest, _ path: [String], now: CloudDate) throws(CloudRefusal) -> CloudReply {
    try assets.check(request, path.joined(separator: "/"), now: now)
    switch (request.method, path[0], path.count) {
    case (.get, "object", 2), (.head, "object", 2):
      guard let reply = assets.object(path[1]) else { throw .notFound }
      return reply
    case (.put, "part", 3):
      guard var upload = assets.uploads[path[1]], let number = Int(path[2]), (1...upload.partCount).contains(number) else { throw .notFound }
      guard request.body.readableBytes == upload.length(of: number) else {
        throw .invalid("Part \(number) has \(request.body.readableBytes) bytes instead of \(upload.length(of: number)).")
      }
      let tag = Insecure.MD5.hash(data: Data(request.body.readableBytesView)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      upload.parts[number] = ChunkedUpload.Part(bytes: request.body, tag: tag)
      assets.uploads[path[1]] = upload
      return CloudReply(status: 200, headers: [.eTag: "\"\(tag)\""])
    default: throw .notFound
    }
  }
}
