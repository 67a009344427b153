import BuildModel

extension StoredImage {
  /// What blockfarm needs of an image configuration (OCI image-spec config.md; Docker reads the same document and calls more of it optional).
  package struct Config: Sendable {
    package let created: String?
    /// nil where the configuration says nothing of it, or `unknown`.
    package let platform: Platform?
    package let labels: [String: String]
    package let diffIDs: [Digest]

    private struct Document: Decodable {
      struct Container: Decodable { var Labels: [String: String]? }
      struct RootFS: Decodable {
        var type: String?
        var diff_ids: [Digest]?
      }
      var created: String?
      var architecture: String?
      var os: String?
      var variant: String?
      var config: Container?
      var rootfs: RootFS
    }

    /// Throws what is wrong with the document.
    package init(_ bytes: [UInt8]) throws(DocumentFault) {
      let document = try DocumentFault.decode(Document.self, from: bytes)
      if let type = document.rootfs.type, type != "layers" {
        throw DocumentFault("its 'rootfs.type' is \(Printable.quoted(type)) instead of 'layers'")
      }
      created = document.created
      platform = Platform(os: document.os, architecture: document.architecture, variant: document.variant)
      labels = document.config?.Labels ?? [:]
      diffIDs = document.rootfs.diff_ids ?? []
    }
  }
}

extension Platform {
  /// nil where it is not given; attestations call theirs `unknown`.
  init?(os: String?, architecture: String?, variant: String?) {
    guard let os, let architecture, !os.isEmpty, !architecture.isEmpty, os != "unknown", architecture != "unknown" else { return nil }
    self.init(os: os, architecture: architecture, variant: variant?.isEmpty == true ? nil : variant)
  }
}
