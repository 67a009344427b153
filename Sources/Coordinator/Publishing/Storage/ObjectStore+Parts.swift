import Balena
import BlobStore
import BoundedConcurrency
import BuildModel
import HTTP

import struct Crypto.SHA256

/// Objects in parts (Amazon S3 API reference: CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipartUpload).
extension ObjectStore {
  /// Sends a file part by part. Nothing is seen of the object before all of it is there; what fails leaves no parts behind, a killed process does, and
  /// the bucket should have a rule that removes unfinished uploads.
  func putInParts(file path: String, _ blob: BlobDescriptor, at key: RelativePath, access: Access) async throws {
    let upload = try await begin(key, blob, access: access)
    do {
      var tags: [String] = []
      var whole = SHA256()
      let size = max(part, (blob.size + 9_999) / 10_000)
      for offset in stride(from: Int64(0), to: blob.size, by: Int64.Stride(size)) {
        let length = min(size, blob.size - offset)
        let (digest, hash) = try await Self.digest(of: path, offset, length, after: whole)
        whole = hash
        let url = try self.url(of: key).adding("partNumber", "\(tags.count + 1)").adding("uploadId", upload)
        let response = try await http.send(signed(HTTPRequest(.put, url, body: .file(path: path, offset: offset, length: length)), digest))
        guard let tag = response.fields["ETag"] else { throw HTTPError.decoding(url: url, what: "part of \(key)", reason: "the answer has no ETag") }
        tags.append(tag)
      }
      guard let found = Digest(bytes: whole.finalize()), found == blob.digest else {
        throw PublishingError.unexpected(what: key.text, found: "a file of other content", expected: "\(blob.digest)")
      }
      try await complete(key, blob, upload, tags)
    } catch {
      // Also when this was cancelled.
      await Task { try? await self.abort(key, upload) }.value
      throw error
    }
  }

  private func begin(_ key: RelativePath, _ blob: BlobDescriptor, access: Access) async throws -> String {
    // Sent twice it is begun twice; the other one has no parts.
    var request = HTTPRequest(.post, try url(of: key).adding("uploads", ""), repetition: .harmless)
    request.fields["x-amz-acl"] = access.rawValue
    request.fields["Content-Type"] = ContentType.of(key)
    request.fields[Self.digestField] = blob.digest.hex
    let response = try await http.send(signed(request, try Self.digest(of: [])))
    var text = String(decoding: response.body, as: UTF8.self)[...]
    guard let id = XMLReading.element("UploadId", in: &text).flatMap({ XMLReading.decoded($0) }), !id.isEmpty else {
      throw HTTPError.decoding(url: response.url, what: "upload of \(key)", reason: "the answer has no UploadId")
    }
    return id
  }

  private func complete(_ key: RelativePath, _ blob: BlobDescriptor, _ upload: String, _ tags: [String]) async throws {
    let parts = tags.enumerated().map { "<Part><PartNumber>\($0 + 1)</PartNumber><ETag>\(XMLReading.encoded($1))</ETag></Part>" }.joined()
    let body = Array("<CompleteMultipartUpload>\(parts)</CompleteMultipartUpload>".utf8)
    // The service may put all parts together before it answers.
    var request = HTTPRequest(.post, try url(of: key).adding("uploadId", upload), body: .bytes(body), repetition: .harmless)
    request.fields["Content-Type"] = "application/xml"
    request.timeouts = http.settings.timeouts
    request.timeouts?.stall = max(http.settings.timeouts.stall, .seconds(600))
    let response = try await http.send(signed(request, try Self.digest(of: body)), accepting: [404])
    // A failure may come with status 200, and of an upload that is not known any more an earlier try's answer was lost: what is there decides.
    guard try await head(key) == Entry(size: blob.size, digest: blob.digest) else {
      let text = String(decoding: response.body.prefix(300), as: UTF8.self)
      throw PublishingError.unexpected(
        what: "the end of the upload of \(key)", found: "'\(text)'", expected: "an object of \(Counted(tags.count, "part"))")
    }
  }

  private func abort(_ key: RelativePath, _ upload: String) async throws {
    let request = HTTPRequest(.delete, try url(of: key).adding("uploadId", upload))
    _ = try await http.send(signed(request, try Self.digest(of: [])), accepting: [404])
  }

  private static func digest(
    of path: String, _ offset: Int64, _ length: Int64, after whole: SHA256
  ) async throws -> (part: Digest, whole: SHA256) {
    try await BlockingWork.run {
      var (part, whole) = (SHA256(), whole)
      try FileReader.read(path, from: offset, count: length) { bytes throws(BlobStoreError) in
        part.update(bufferPointer: bytes)
        whole.update(bufferPointer: bytes)
      }
      guard let digest = Digest(bytes: part.finalize()) else { throw PublishingError.invalid(what: path, reason: "it has no digest") }
      return (digest, whole)
    }
  }
}
