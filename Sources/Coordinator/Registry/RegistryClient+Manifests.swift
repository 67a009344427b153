import BuildModel
import FoundationEssentials
import HTTP
import OCIImage

import struct Crypto.SHA256

/// Names a manifest in a repository.
package enum ManifestName: Hashable, Sendable, CustomStringConvertible {
  case tag(ImageTag)
  case digest(Digest)
  package var description: String {
    switch self {
    case .tag(let tag): tag.text
    case .digest(let digest): digest.description
    }
  }
}

extension ImageReference {
  /// The digest if there is one, else the tag, else `latest`.
  package var manifestName: ManifestName { digest.map { .digest($0) } ?? tag.map { .tag($0) } ?? .tag(.latest) }
}

extension RegistryClient {
  private static var accept: HTTPFields { ["Accept": RemoteManifest.accepted.joined(separator: ", ")] }

  /// The digest of a manifest; nil where there is none of that name.
  package func manifestDigest(_ name: ManifestName, in repository: RepositoryName) async throws -> Digest? {
    try await about(repository, "manifest \(name)") {
      let request = HTTPRequest(.head, try url(repository, "manifests/\(name)"), fields: Self.accept)
      let response = try await send(request, [RegistryScope(repository, [.pull])], accepting: [404])
      if response.status == 404 { return nil }
      if let text = response.fields["Docker-Content-Digest"], let digest = Digest(text) { return digest }
      return try await manifest(name, in: repository).blob.digest
    }
  }

  /// The manifest, with its digest recomputed and compared with the name and with what the registry says.
  package func manifest(_ name: ManifestName, in repository: RepositoryName) async throws -> RemoteManifest {
    try await about(repository, "manifest \(name)") {
      let request = HTTPRequest(.get, try url(repository, "manifests/\(name)"), fields: Self.accept)
      let scopes: Set = [RegistryScope(repository, [.pull])]
      let response = try await authorized(request, scopes) { try await http.send($0, bodyLimit: RemoteManifest.limit) }
      guard let digest = Digest(bytes: SHA256.hash(data: response.body)) else {
        throw HTTPError.decoding(url: response.url, what: "manifest", reason: "it has no digest")
      }
      var expected = response.fields["Docker-Content-Digest"]
      if case .digest(let asked) = name { expected = asked.description }
      if let expected, expected != digest.description {
        throw HTTPError.mismatch(what: "the manifest's digest", expected: String(expected.prefix(80)), found: "\(digest)")
      }
      return try RemoteManifest(
        response.body, contentType: response.fields["Content-Type"], blob: BlobDescriptor(digest: digest, size: Int64(response.body.count)),
        from: response.url)
    }
  }

  /// Stores exactly these bytes under the name; everything they name must be there.
  func put(_ manifest: LocalManifest, as name: ManifestName, in repository: RepositoryName) async throws {
    try await about(repository, "manifest \(name)") {
      let request = HTTPRequest(
        .put, try url(repository, "manifests/\(name)"), fields: ["Content-Type": manifest.mediaType], body: .bytes(manifest.bytes))
      let response = try await send(request, [RegistryScope(repository, [.pull, .push])])
      var stored = response.fields["Docker-Content-Digest"]
      if stored == nil { stored = try await manifestDigest(.digest(manifest.blob.digest), in: repository)?.description }
      guard stored == manifest.blob.digest.description else {
        throw HTTPError.mismatch(
          what: "the digest of the stored manifest", expected: "\(manifest.blob.digest)", found: String((stored ?? "none").prefix(80)))
      }
    }
  }
}
