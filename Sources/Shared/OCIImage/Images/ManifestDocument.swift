import BuildModel

/// A manifest or an index as anybody writes it (OCI image-spec manifest.md and image-index.md; Docker's manifest and list have the same shape).
///
/// Whatever the specifications call optional may be missing, and what is strange in one entry is no matter of the others.
package struct ManifestDocument: Decodable, Sendable {
  /// A descriptor with all that may be said in one. Only a sha256 digest is one.
  package struct Entry: Decodable, Sendable {
    package var mediaType: String?
    package var digest: Digest?
    package var size: Int64?
    /// nil where it is not given, or `unknown`.
    package var platform: Platform?
    package var annotations: [String: String]
    package var artifactType: String?
    /// For messages, when it is not a sha256 digest.
    package var digestText: String

    /// nil where kind, digest or size are missing or impossible.
    package var descriptor: Descriptor? {
      guard let mediaType, let digest, let size, size >= 0 else { return nil }
      return Descriptor(mediaType: mediaType, blob: BlobDescriptor(digest: digest, size: size))
    }

    /// Whether BuildKit added it to tell of another entry: provenance, or a bill of materials.
    package var isAttestation: Bool { annotations["vnd.docker.reference.type"] != nil }

    /// Whether it may be an image's manifest, as far as an index tells.
    package var isImage: Bool { !isAttestation && artifactType == nil && MediaType.manifests.contains(mediaType ?? MediaType.ociManifest) }

    private enum CodingKeys: String, CodingKey { case mediaType, digest, size, platform, annotations, artifactType }
    private struct FoundPlatform: Decodable {
      var os: String?
      var architecture: String?
      var variant: String?
    }

    package init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      // What is of another kind than it should be counts as missing: the entry may be none that is needed.
      mediaType = try? container.decode(String.self, forKey: .mediaType)
      size = try? container.decode(Int64.self, forKey: .size)
      annotations = (try? container.decode([String: String].self, forKey: .annotations)) ?? [:]
      artifactType = try? container.decode(String.self, forKey: .artifactType)
      digestText = (try? container.decode(String.self, forKey: .digest)) ?? ""
      digest = Digest(digestText)
      let found = try? container.decode(FoundPlatform.self, forKey: .platform)
      platform = Platform(os: found?.os, architecture: found?.architecture, variant: found?.variant)
    }
  }

  package var schemaVersion: Int?
  package var mediaType: String?
  package var artifactType: String?
  package var config: Entry?
  package var layers: [Entry]?
  package var manifests: [Entry]?

  /// Throws what is wrong with the document; one that is an index and a manifest at once is refused, because programs differ in what they take it
  /// for (CVE-2021-41190).
  package init(_ bytes: [UInt8]) throws(DocumentFault) {
    self = try DocumentFault.decode(ManifestDocument.self, from: bytes)
    if manifests != nil, config != nil || layers != nil { throw DocumentFault("it is an index and an image manifest at once") }
  }
}
