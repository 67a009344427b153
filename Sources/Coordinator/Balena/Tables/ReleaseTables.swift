import BuildModel

package enum ReleaseTable: ODataTable {
  package static let path = "release"
  package static let commit = ODataField<Self, String>("commit")
  package static let status = ODataField<Self, String>("status")
  package static let isFinal = ODataField<Self, Bool>("is_final")
  package static let isInvalidated = ODataField<Self, Bool>("is_invalidated")
  package static let revision = ODataField<Self, Int>("revision")
  package static let rawVersion = ODataField<Self, String>("raw_version")
  package static let major = ODataField<Self, Int>("semver_major")
  package static let minor = ODataField<Self, Int>("semver_minor")
  package static let patch = ODataField<Self, Int>("semver_patch")
  package static let prerelease = ODataField<Self, String>("semver_prerelease")
  package static let variant = ODataField<Self, String>("variant")
  package static let composition = ODataField<Self, BalenaJSON>("composition")
  package static let application = ODataLink<Self, ApplicationTable>("belongs_to__application")
  package static let tags = ODataLink<Self, ReleaseTagTable>("release_tag")
  package static let images = ODataLink<Self, ReleaseImageTable>("release_image")
}

package enum ReleaseTagTable: ODataTable {
  package static let path = "release_tag"
  package static let key = ODataField<Self, String>("tag_key")
  package static let value = ODataField<Self, String>("value")
  package static let release = ODataLink<Self, ReleaseTable>("release")
}

package enum ReleaseImageTable: ODataTable {
  package static let path = "image__is_part_of__release"
  package static let image = ODataLink<Self, ImageTable>("image")
  package static let release = ODataLink<Self, ReleaseTable>("is_part_of__release")
  package static let labels = ODataLink<Self, ImageLabelTable>("image_label")
}

package enum ImageTable: ODataTable {
  package static let path = "image"
  package static let status = ODataField<Self, String>("status")
  package static let location = ODataField<Self, String>("is_stored_at__image_location")
  package static let contentHash = ODataField<Self, String>("content_hash")
  package static let service = ODataLink<Self, ServiceTable>("is_a_build_of__service")
}

package enum ImageLabelTable: ODataTable {
  package static let path = "image_label"
  package static let name = ODataField<Self, String>("label_name")
  package static let value = ODataField<Self, String>("value")
  package static let releaseImage = ODataLink<Self, ReleaseImageTable>("release_image")
}

package enum ReleaseAssetTable: ODataTable {
  package static let path = "release_asset"
  package static let key = ODataField<Self, String>("asset_key")
  package static let asset = ODataField<Self, CloudAsset.File>("asset")
  package static let release = ODataLink<Self, ReleaseTable>("release")
}

/// How far release and image rows are.
package enum BuildStatus: String, Codable, Hashable, Sendable {
  case running, success, failed, error, cancelled, interrupted
}

/// A release with its images, labels and tags.
package struct CloudRelease: ODataProjection, Hashable {
  package struct Image: Decodable, Hashable, Sendable {
    /// The row that ties the image to the release.
    package let releaseImage: RowID<ReleaseImageTable>
    package let id: RowID<ImageTable>
    package let service: String
    package let status: BuildStatus
    /// `<registry host>/v2/<hex>`, made by the server.
    package let location: String
    /// Digest of the manifest; nil until it was pushed.
    package let contentHash: Digest?
    package let labels: [String: String]

    /// What `docker pull` takes; nil until it was pushed.
    package var pullReference: String? { contentHash.map { "\(location)@\($0)" } }
  }
  package let id: RowID<ReleaseTable>
  package let commit: String
  package let status: BuildStatus
  package let isFinal: Bool
  package let isInvalidated: Bool
  /// As the server spells it; a draft's holds its time.
  package let rawVersion: String
  package let revision: Int?
  package let composition: BalenaJSON
  /// By id.
  package let images: [Image]
  package let tags: [String: String]

  /// Devices may be given it.
  package var isVisible: Bool { isFinal && status == .success && !isInvalidated }

  package static let shape = ODataShape<ReleaseTable>()
    .selecting(
      ReleaseTable.id, ReleaseTable.commit, ReleaseTable.status, ReleaseTable.isFinal, ReleaseTable.isInvalidated, ReleaseTable.rawVersion,
      ReleaseTable.revision, ReleaseTable.composition
    )
    .expanding(
      ReleaseTable.images,
      ODataShape().selecting(ReleaseImageTable.id)
        .expanding(
          ReleaseImageTable.image,
          ODataShape().selecting(ImageTable.id, ImageTable.status, ImageTable.location, ImageTable.contentHash)
            .expanding(ImageTable.service, ODataShape().selecting(ServiceTable.name))
        )
        .expanding(ReleaseImageTable.labels, ODataShape().selecting(ImageLabelTable.name, ImageLabelTable.value))
    )
    .expanding(ReleaseTable.tags, CloudTag<ReleaseTagTable>.fields)

  private enum CodingKeys: String, CodingKey {
    case id, commit, status, revision, composition
    case isFinal = "is_final"
    case isInvalidated = "is_invalidated"
    case rawVersion = "raw_version"
    case images = "release_image"
    case tags = "release_tag"
  }

  package init(from decoder: any Decoder) throws {
    let row = try decoder.container(keyedBy: CodingKeys.self)
    id = try row.decode(RowID.self, forKey: .id)
    commit = try row.decode(String.self, forKey: .commit)
    status = try row.decode(BuildStatus.self, forKey: .status)
    isFinal = try row.decode(Bool.self, forKey: .isFinal)
    isInvalidated = try row.decode(Bool.self, forKey: .isInvalidated)
    rawVersion = try row.decode(String.self, forKey: .rawVersion)
    revision = try row.decodeIfPresent(Int.self, forKey: .revision)
    composition = try row.decode(BalenaJSON.self, forKey: .composition)
    images = try row.decode([Image].self, forKey: .images).sorted { $0.id < $1.id }
    tags = Dictionary(try row.decode([CloudTag<ReleaseTagTable>].self, forKey: .tags).map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
  }
}

extension CloudRelease.Image {
  private enum CodingKeys: String, CodingKey {
    case id, image
    case labels = "image_label"
  }
  private struct ImageRow: Decodable {
    struct Service: Decodable { let service_name: String }
    let id: RowID<ImageTable>
    let status: BuildStatus
    let is_stored_at__image_location: String
    let content_hash: String?
    let is_a_build_of__service: [Service]
  }
  private struct Label: Decodable {
    let label_name: String
    let value: String
  }

  package init(from decoder: any Decoder) throws {
    let row = try decoder.container(keyedBy: CodingKeys.self)
    releaseImage = try row.decode(RowID.self, forKey: .id)
    guard let image = try row.decode([ImageRow].self, forKey: .image).first, let service = image.is_a_build_of__service.first else {
      throw DecodingError.dataCorruptedError(forKey: .image, in: row, debugDescription: "a release image without image or service")
    }
    id = image.id
    self.service = service.service_name
    status = image.status
    location = image.is_stored_at__image_location
    contentHash = image.content_hash.flatMap { Digest($0) }
    labels = Dictionary(try row.decode([Label].self, forKey: .labels).map { ($0.label_name, $0.value) }, uniquingKeysWith: { $1 })
  }
}

/// A file of a release. A row alone proves no file: look at ``File/size``.
package struct CloudAsset: ODataProjection, Hashable {
  package struct File: Decodable, Hashable, Sendable {
    package let filename: String?
    /// Signed and short-lived: neither kept nor printed.
    let href: String?
    package let size: Int64?
    package let contentType: String?
    private enum CodingKeys: String, CodingKey {
      case filename, href, size
      case contentType = "content_type"
    }
  }
  package let id: RowID<ReleaseAssetTable>
  package let key: String
  package let file: File?

  package static let shape = ODataShape<ReleaseAssetTable>().selecting(ReleaseAssetTable.id, ReleaseAssetTable.key, ReleaseAssetTable.asset)
  private enum CodingKeys: String, CodingKey {
    case id
    case key = "asset_key"
    case file = "asset"
  }
}
