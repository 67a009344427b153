import Balena
import BlobStore
import BuildModel
import CanonicalJSON
import FoundationEssentials
import OCIImage
import Publishing

/// Short ways to make values.
enum Sample {
  static func slug(_ text: String = "generic-amd64") throws -> Slug { try Slug(text) }

  static func deviceType(
    _ slug: String = "generic-amd64", artifact: String = "image.balenaos-img", flasher: String? = nil, raw: String? = nil, archive: Bool = false
  ) throws -> DeviceType {
    DeviceType(
      slug: try Slug(slug), aliases: [], name: slug, arch: .amd64, state: .released,
      yocto: .init(
        machine: try Machine(slug), image: [try RecipeName("balena-image")], fstype: nil, codename: "kirkstone", deployArtifact: artifact,
        deployFlasherArtifact: flasher, deployRawArtifact: raw, compressed: true, archive: archive), file: slug)
  }

  static func digest(_ letter: Character) -> Digest { Digest(hex: String(repeating: letter, count: 64))! }

  /// An image that is nowhere.
  static func image(_ letter: Character, labels: [String: String] = [:]) -> PublishableImage {
    PublishableImage(
      manifest: BlobDescriptor(digest: digest(letter), size: 500), config: BlobDescriptor(digest: digest("c"), size: 100),
      layers: [BlobDescriptor(digest: digest("d"), size: 1000)], labels: labels)
  }

  static func asset(_ key: String, _ letter: Character = "e", size: Int64 = 5) throws -> Publication.Asset {
    Publication.Asset(key: RelativePath(key)!, blob: BlobDescriptor(digest: digest(letter), size: size))
  }

  static func assets() throws -> [Publication.Asset] {
    try ["VERSION", "VERSION_HOSTOS", "device-type.json", "image.json", "compressed/part-0.deflate"].map { try asset($0) }
  }

  static func publication(
    version: String = "2.60.1", blocks: [Publication.Block]? = nil, isRelease: Bool = true, composition: BalenaJSON? = nil
  ) throws -> Publication {
    Publication(
      deviceType: try deviceType(), version: OSVersion(version)!, isRelease: isRelease, baseVersion: OSVersion("2.60.1"),
      repositoryURL: "https://github.com/balena-os/balena-generic",
      blocks: try blocks ?? [.init(name: BlockName("tools"), image: image("a")), .init(name: BlockName("kernel"), image: image("b"))],
      hostapp: .init(image: image("f"), boardRevision: "4f2c", assets: try assets(), composition: composition))
  }

  /// A release as the API tells it.
  static func release(_ json: String) throws -> CloudRelease { try CanonicalJSON.decode(CloudRelease.self, from: json.utf8) }

  static func release(
    id: Int = 7, commit: String = "c0ffee", status: String = "success", isFinal: Bool = true, isInvalidated: Bool = false,
    rawVersion: String = "2.60.1", revision: Int? = 0, images: [String] = [], tags: [String: String] = [:]
  ) throws -> CloudRelease {
    let tags = tags.sorted { $0.key < $1.key }.map { "{\"id\":1,\"tag_key\":\"\($0.key)\",\"value\":\"\($0.value)\"}" }.joined(separator: ",")
    return try release(
      """
      {"id":\(id),"commit":"\(commit)","status":"\(status)","is_final":\(isFinal),"is_invalidated":\(isInvalidated),"raw_version":"\(rawVersion)",
       "revision":\(isFinal ? revision.map { "\($0)" } ?? "null" : "null"),"composition":{"services":{}},"release_image":[\(images.joined(separator: ","))],"release_tag":[\(tags)]}
      """)
  }

  static func imageRow(_ id: Int, _ service: String, _ hash: Digest?, status: String = "success", labels: [String: String] = [:]) -> String {
    let labels = labels.sorted { $0.key < $1.key }.map { "{\"label_name\":\"\($0.key)\",\"value\":\"\($0.value)\"}" }.joined(separator: ",")
    return """
      {"id":\(id + 100),"image":[{"id":\(id),"status":"\(status)","is_stored_at__image_location":"r.example/v2/\(id)",
       "content_hash":\(hash.map { "\"\($0)\"" } ?? "null"),"is_a_build_of__service":[{"service_name":"\(service)"}]}],"image_label":[\(labels)]}
      """
  }
}

/// What an operation complains about; "nothing" when it does not.
func complaint(_ work: () throws -> some Any) -> String {
  do {
    _ = try work()
    return "nothing"
  } catch { return "\(error)" }
}

func complaint(_ work: () async throws -> some Any) async -> String {
  do {
    _ = try await work()
    return "nothing"
  } catch { return "\(error)" }
}
