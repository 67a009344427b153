import BlobStore
import BoundedConcurrency
import BuildModel
import FoundationEssentials
import HTTP

extension BalenaClient {
  /// Assets up to this size are sent in one request, larger ones in parts.
  package static let largestSingleAsset: Int64 = 5 << 20
  static let assetPart: Int64 = 10 << 20

  /// The release's assets, the oldest first. A row without size has no file yet.
  package func assets(of release: RowID<ReleaseTable>) async throws -> [CloudAsset] {
    try await rows(where: ReleaseAssetTable.release == release, order: .ascending(ReleaseAssetTable.id))
  }

  private struct NewAsset: Encodable {
    let release: RowID<ReleaseTable>
    let asset_key: String
  }

  /// Gives the release a file under a key; a row of that key is filled or its file replaced. The file must not change meanwhile.
  package func putAsset(
    _ key: String, file path: String, size: Int64, filename: String, contentType: String, release: RowID<ReleaseTable>
  ) async throws {
    let unique = ReleaseAssetTable.release == release && ReleaseAssetTable.key == key
    if size <= Self.largestSingleAsset {
      let bytes = try await BlockingWork.run {
        var bytes: [UInt8] = []
        try FileReader.read(path) { bytes.append(contentsOf: $0) }
        return bytes
      }
      guard bytes.count == size else { throw HTTPError.mismatch(what: path, expected: "\(Counted(size, "byte"))", found: "\(bytes.count)") }
      if let there = try await rows(CloudAsset.self, where: unique).first { return try await replace(there.id, bytes, filename, contentType) }
      do {
        var form = MultipartForm()
        form.add("release", text: release.description)
        form.add("asset_key", text: key)
        form.add("asset", file: filename, contentType: contentType, bytes)
        _ = try await http.send(
          HTTPRequest(
            .post, try url("/v7/" + ReleaseAssetTable.path), fields: ["Content-Type": form.contentType], authorization: authorization,
            body: .bytes(form.finished)))
      } catch let error as HTTPError where error.status == 409 || error.leavesUnknown {
        guard let there = try await rows(CloudAsset.self, where: unique).first else { throw error }
        if there.file?.size != size { try await replace(there.id, bytes, filename, contentType) }
      }
    } else {
      let row: RowIdentity<ReleaseAssetTable> =
        if let there = try await rows(RowIdentity<ReleaseAssetTable>.self, where: unique).first { there } else {
          try await create(NewAsset(release: release, asset_key: key), unique: unique)
        }
      try await upload(row.id, file: path, size: size, filename: filename, contentType: contentType)
    }
  }

  private func replace(_ id: RowID<ReleaseAssetTable>, _ bytes: [UInt8], _ filename: String, _ contentType: String) async throws {
    var form = MultipartForm()
    form.add("asset", file: filename, contentType: contentType, bytes)
    _ = try await http.send(
      HTTPRequest(
        .patch, try url("/v7/" + ODataTarget<ReleaseAssetTable>.row(id).path([])), fields: ["Content-Type": form.contentType],
        authorization: authorization, body: .bytes(form.finished)))
  }

  /// Reads an asset's file and keeps nothing of it; other content or another size is thrown as a mismatch.
  package func check(_ asset: CloudAsset, expecting blob: BlobDescriptor) async throws {
    let digest = DigestSink()
    try await http.download(try reading(asset), into: digest, limit: blob.size)
    try digest.finish(expecting: blob, source: "asset \(asset.key)")
  }

  /// The address is signed and must not get the credential.
  private func reading(_ asset: CloudAsset) throws(HTTPError) -> HTTPRequest {
    guard let href = asset.file?.href else { throw .decoding(url: api, what: "asset \(asset.key)", reason: "it has no file") }
    return HTTPRequest(.get, try api.naming(href))
  }

  // MARK: Large files

  private struct Begin: Encodable {
    struct File: Encodable {
      let filename: String
      let content_type: String
      let size: Int64
      let chunk_size: Int64
    }
    let asset: File
  }
  private struct Begun: Decodable {
    struct Part: Decodable {
      let url: String
      let chunkSize: Int64
      let partNumber: Int
    }
    struct Upload: Decodable {
      let uuid: String
      let uploadParts: [Part]
    }
    let asset: Upload
  }
  private struct Commit: Encodable {
    struct Part: Encodable {
      let PartNumber: Int
      let ETag: String
    }
    struct Parts: Encodable { let Parts: [Part] }
    let uuid: String
    let providerCommitData: Parts
  }
  private struct Cancel: Encodable { let uuid: String }

  /// Sends a file in parts to the addresses that the server signs for them.
  private func upload(_ id: RowID<ReleaseAssetTable>, file path: String, size: Int64, filename: String, contentType: String) async throws {
    let row = "/v7/" + ODataTarget<ReleaseAssetTable>.row(id).path([])
    // Beginning twice leaves an upload that the server forgets after a week.
    var begin = try json(
      .post, row + "/beginUpload",
      Begin(asset: .init(filename: filename, content_type: contentType, size: size, chunk_size: Self.assetPart)))
    begin.repetition = .harmless
    let begun = try Self.decode(Begun.self, from: try await http.send(begin), what: "upload").asset
    let parts = begun.uploadParts.sorted { $0.partNumber < $1.partNumber }
    guard parts.map(\.partNumber) == Array(1...max(1, parts.count)), Int64(parts.count) == (size + Self.assetPart - 1) / Self.assetPart else {
      throw HTTPError.decoding(url: api, what: "upload of \(filename)", reason: "it has \(Counted(parts.count, "part")) for \(Counted(size, "byte"))")
    }
    do {
      var committed: [Commit.Part] = []
      for part in parts {
        let offset = Int64(part.partNumber - 1) * Self.assetPart
        // A signed address is used as it is, without the credential.
        let request = HTTPRequest(
          .put, try api.naming(part.url), body: .file(path: path, offset: offset, length: min(Self.assetPart, size - offset)))
        guard let tag = try await http.send(request).fields["ETag"] else {
          throw HTTPError.decoding(url: request.url, what: "part \(part.partNumber) of \(filename)", reason: "the answer has no ETag")
        }
        committed.append(.init(PartNumber: part.partNumber, ETag: tag.filter { $0 != "\"" }))
      }
      // Committing twice is refused as an unknown upload; whether the file is there is read back by the caller.
      _ = try await http.send(try json(.post, row + "/commitUpload", Commit(uuid: begun.uuid, providerCommitData: .init(Parts: committed))))
    } catch {
      if (error as? HTTPError)?.leavesUnknown != true, let cancel = try? json(.post, row + "/cancelUpload", Cancel(uuid: begun.uuid)) {
        _ = try? await http.send(cancel)
      }
      throw error
    }
  }
}

/// A body of type multipart/form-data (RFC 7578).
struct MultipartForm {
  private let boundary = "blockfarm-" + UUID().uuidString
  private var bytes: [UInt8] = []

  var contentType: String { "multipart/form-data; boundary=" + boundary }

  mutating func add(_ name: String, text: String) {
    bytes += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(text)\r\n".utf8)
  }

  mutating func add(_ name: String, file: String, contentType: String, _ content: [UInt8]) {
    // Quotes and line ends in a file name are percent-encoded (WHATWG, multipart/form-data encoding).
    let escaped = file.unicodeScalars.map { $0 == "\"" ? "%22" : $0 == "\r" ? "%0D" : $0 == "\n" ? "%0A" : String($0) }.joined()
    let head =
      "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"\(escaped)\"\r\nContent-Type: \(contentType)\r\n\r\n"
    bytes += Array(head.utf8) + content + Array("\r\n".utf8)
  }

  /// All parts and the closing delimiter.
  var finished: [UInt8] { bytes + Array("--\(boundary)--\r\n".utf8) }
}
