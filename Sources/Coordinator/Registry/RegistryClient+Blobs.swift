import BuildModel
import HTTP

/// A blob on this machine, ready to be sent.
package struct LocalBlob: Hashable, Sendable {
  package enum Place: Hashable, Sendable {
    case bytes([UInt8])
    /// A part of a file; the blob's size says how much.
    case file(path: String, offset: Int64)
  }
  package var blob: BlobDescriptor
  package var place: Place

  package init(_ blob: BlobDescriptor, file path: String, offset: Int64 = 0) {
    self.blob = blob
    place = .file(path: path, offset: offset)
  }
  package init(_ blob: BlobDescriptor, bytes: [UInt8]) {
    self.blob = blob
    place = .bytes(bytes)
  }

  func body(from start: Int64, length: Int64) -> HTTPRequest.Body {
    switch place {
    case .bytes(let bytes): .bytes(Array(bytes.dropFirst(Int(start)).prefix(Int(length))))
    case .file(let path, let offset): .file(path: path, offset: offset + start, length: length)
    }
  }
}

/// How a blob came to be in a repository.
package enum BlobArrival: Hashable, Sendable {
  case present
  case mounted(from: RepositoryName)
  case uploaded
}

extension RegistryClient {
  /// Whether the repository has the blob; with another size it is an error.
  package func has(_ blob: BlobDescriptor, in repository: RepositoryName) async throws -> Bool {
    try await about(repository, "blob \(blob.digest)") {
      let request = HTTPRequest(.head, try url(repository, "blobs/\(blob.digest)"))
      let response = try await send(request, [RegistryScope(repository, [.pull])], accepting: [404])
      guard response.status != 404 else { return false }
      if let length = response.fields["Content-Length"], Int64(length) != blob.size {
        throw HTTPError.mismatch(what: "size of \(blob.digest)", expected: "\(blob.size)", found: length)
      }
      return true
    }
  }

  /// Sees to it that the repository has the blob: it is there, or mounted from another repository of this registry, or uploaded.
  ///
  /// `sources` are repositories that may hold it, besides those that this client has seen it in.
  package func ensure(_ blob: LocalBlob, in repository: RepositoryName, sources: [RepositoryName] = []) async throws -> BlobArrival {
    let digest = blob.blob.digest
    if await placement.has(digest, in: repository) { return .present }
    if try await has(blob.blob, in: repository) {
      await placement.note(digest, in: repository)
      return .present
    }
    var refused: Set<RepositoryName> = []
    var hints = sources.filter { $0 != repository }
    while true {
      let claim = try await placement.claim(digest, for: repository, refused: refused)
      switch claim {
      case .present: return .present
      case .mount(let source):
        if try await mount(blob.blob, from: source, into: repository) {
          await placement.note(digest, in: repository)
          return .mounted(from: source)
        }
        refused.insert(source)
      case .upload:
        do {
          while let hint = hints.first {
            hints.removeFirst()
            if try await mount(blob.blob, from: hint, into: repository) {
              await placement.release(digest, in: repository)
              return .mounted(from: hint)
            }
          }
          try await BlobUpload(client: self, repository: repository, blob: blob).run()
        } catch {
          await placement.release(digest, in: nil)
          throw error
        }
        await placement.release(digest, in: repository)
        return .uploaded
      }
    }
  }

  /// False where the registry cannot or must not mount it.
  private func mount(_ blob: BlobDescriptor, from source: RepositoryName, into repository: RepositoryName) async throws -> Bool {
    let url = try url(repository, "blobs/uploads/").adding("mount", "\(blob.digest)").adding("from", source.text)
    let scopes: Set = [RegistryScope(repository, [.pull, .push]), RegistryScope(source, [.pull])]
    do {
      // A second mount changes nothing, and an upload that is begun for nothing runs out by itself.
      let response = try await send(HTTPRequest(.post, url, repetition: .harmless), scopes)
      return response.status == 201
    } catch HTTPError.status(let answer) where [401, 403, 404, 405].contains(answer.status) {
      return false
    }
  }
}
