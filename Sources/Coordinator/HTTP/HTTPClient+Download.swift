import BlobStore
import BoundedConcurrency
import BuildModel

extension HTTPClient {
  /// Streams the body of a successful answer into a sink, as it is stored: compressed content stays compressed.
  ///
  /// A body that was cut is continued where it ended if the server can prove that it is still the same (a strong ETag), else it begins anew.
  /// More than `limit` bytes are refused.
  @discardableResult
  package func download(_ request: HTTPRequest, into sink: any BodySink, limit: Int64) async throws -> HTTPResponse {
    let progress = Progress()
    return try await repeating(request) { request in
      var request = request
      let offset = progress.position
      if offset > 0, let tag = progress.tag {
        request.fields["Range"] = "bytes=\(offset)-"
        request.fields["If-Range"] = tag
      }
      let (response, report) = try await self.answer(
        to: request, accepting: [416], target: .sink(sink, offset: offset, limit: limit), began: { progress.note($0) })
      if response.status == 416 {
        progress.forget()
        throw HTTPError.transport(
          TransportFailure(kind: .dropped, method: request.method, url: request.url, reason: "cannot be continued", wasNeverSent: false))
      }
      // An empty body never reached the sink.
      if report.position == 0 { try await BlockingWork.run { try sink.begin(at: 0) } }
      return response
    }
  }

  /// Streams the body into a blob store; other content or another size is refused.
  package func download(_ request: HTTPRequest, into store: BlobStore, expecting expected: BlobDescriptor) async throws {
    let blob = BlobSink(store: store)
    defer { blob.discard() }
    try await download(request, into: blob, limit: expected.size)
    try await BlockingWork.run { try blob.finish(expecting: expected, source: "\(request.url)") }
  }
}

/// How far a download came, over all its tries. Used by one task at a time.
private final class Progress {
  private(set) var position: Int64 = 0
  /// Names the content that the position is in; nil where there is nothing to continue.
  private(set) var tag: String?

  func note(_ report: Transfer.Report) {
    guard (200...299).contains(report.head.status) else { return }
    if let found = report.head.fields["ETag"], found.hasPrefix("\"") { (position, tag) = (report.position, found) } else { forget() }
  }

  func forget() { (position, tag) = (0, nil) }
}
