import BuildModel
import HTTP

/// One blob on its way into a repository (Distribution specification, "Pushing blobs"): an upload is begun, filled and committed.
///
/// After a failure the registry is asked how much it has, and the upload goes on from there; a lost upload begins anew.
struct BlobUpload {
  let client: RegistryClient
  let repository: RepositoryName
  let blob: LocalBlob

  private var size: Int64 { blob.blob.size }
  private var scopes: Set<RegistryScope> { [RegistryScope(repository, [.pull, .push])] }

  private struct Session {
    /// Changes with every answer.
    var location: HTTPURL
    /// What the registry has.
    var offset: Int64 = 0
  }

  private enum Trouble {
    /// The registry forgot the upload.
    case lost
    /// The registry has another amount than thought.
    case elsewhere
    case passing
  }

  init(client: RegistryClient, repository: RepositoryName, blob: LocalBlob) {
    self.client = client
    self.repository = repository
    self.blob = blob
  }

  func run() async throws { try await client.about(repository, "blob \(blob.blob.digest)") { try await upload() } }

  private func upload() async throws {
    let http = client.http.settings
    var session: Session?
    var failures = 0
    // Over all uploads: one that got no further than another before it is no progress, however much of the blob was sent for it.
    var best: Int64 = 0
    while true {
      do {
        if session == nil { session = try await begin() }
        try await fill(&session)
        return
      } catch let error as HTTPError {
        if let offset = session?.offset, offset > best { (best, failures) = (offset, 0) }
        failures += 1
        guard let trouble = Self.trouble(error), failures < http.retry.attempts else { throw error }
        if trouble == .passing {
          let patch = HTTPRequest(.patch, client.root, repetition: .harmless)
          guard let delay = http.retry.delay(after: failures, of: patch, error: error, now: http.time.now()) else { throw error }
          http.notice("\(error); blob \(blob.blob.digest) goes on in \(delay.components.seconds) s")
          try await http.time.sleep(delay)
        }
        // The answer to a commit may be all that was lost.
        if trouble != .elsewhere, try await client.has(blob.blob, in: repository) { return }
        if trouble == .lost { session = nil } else if let open = session { session = try await ask(open) }
      }
    }
  }

  private static func trouble(_ error: HTTPError) -> Trouble? {
    switch error {
    case .status(let answer) where answer.status == 404: .lost
    case .status(let answer) where answer.status == 416: .elsewhere
    case .status(let answer) where HTTPRetryRule.isPassing(answer.status): .passing
    case .transport(let failure) where failure.kind.isPassing: .passing
    default: nil
    }
  }

  private func begin() async throws -> Session {
    // It is repeated with the whole upload, and so counted: each of its tries must not have tries of its own. Two uploads where one answer was lost do
    // no harm, one of them runs out.
    let request = HTTPRequest(.post, try client.url(repository, "blobs/uploads/"), repetition: .never)
    return Session(location: try location(in: try await client.send(request, scopes)))
  }

  /// How much the registry has; nil where it forgot the upload. Distribution 2.8 gives an empty 200 when it cancels an upload that has a part of a request.
  private func ask(_ session: Session) async throws -> Session? {
    let response = try await client.send(HTTPRequest(.get, session.location), scopes, accepting: [404])
    guard response.status == 204, let offset = try offset(in: response) else { return nil }
    var next = session
    if response.fields["Location"] != nil { next.location = try location(in: response) }
    next.offset = offset
    return next
  }

  private func fill(_ session: inout Session?) async throws {
    guard var open = session else { return }
    if size > client.settings.smallBlob || open.offset > 0 {
      while open.offset < size {
        let length = min(client.settings.chunkSize ?? size, size - open.offset)
        var request = HTTPRequest(
          .patch, open.location, fields: ["Content-Type": "application/octet-stream"], body: blob.body(from: open.offset, length: length),
          repetition: .never)
        if length < size { request.fields["Content-Range"] = "\(open.offset)-\(open.offset + length - 1)" }
        let response = try await client.send(request, scopes)
        open.location = try location(in: response)
        let next = try offset(in: response) ?? open.offset + length
        guard next > open.offset else {
          throw HTTPError.decoding(url: response.url, what: "upload", reason: "\(length) bytes were accepted and none was kept")
        }
        open.offset = next
        session = open
      }
      try await commit(open, body: .none)
    } else {
      try await commit(open, body: blob.body(from: 0, length: size))
    }
  }

  private func commit(_ session: Session, body: HTTPRequest.Body) async throws {
    var request = HTTPRequest(
      .put, session.location.adding("digest", "\(blob.blob.digest)"), fields: ["Content-Type": "application/octet-stream"], body: body,
      repetition: .never)
    // A registry may read the whole blob again before it answers.
    request.timeouts = client.http.settings.timeouts
    request.timeouts?.stall = max(client.http.settings.timeouts.stall, .seconds(600))
    let response = try await client.send(request, scopes)
    if let digest = response.fields["Docker-Content-Digest"], digest != blob.blob.digest.description {
      throw HTTPError.mismatch(what: "digest that the registry stored", expected: "\(blob.blob.digest)", found: String(digest.prefix(80)))
    }
  }

  private func location(in response: HTTPResponse) throws(HTTPError) -> HTTPURL {
    guard let location = response.fields["Location"] else {
      throw .decoding(url: response.url, what: "upload", reason: "the answer has no Location")
    }
    return try response.url.naming(location)
  }

  /// `0-<last>` means last + 1 bytes. An empty upload has to say `0-0` too, so that one is taken as nothing.
  private func offset(in response: HTTPResponse) throws(HTTPError) -> Int64? {
    guard let range = response.fields["Range"] else { return nil }
    let parts = range.split(separator: "=").last?.split(separator: "-") ?? []
    guard parts.count == 2, parts[0] == "0", let last = Int64(parts[1]), last >= 0, last < max(size, 1) else {
      throw .decoding(url: response.url, what: "upload", reason: "Range '\(range.prefix(40))' is no part of \(size) bytes")
    }
    return last == 0 ? 0 : last + 1
  }
}
