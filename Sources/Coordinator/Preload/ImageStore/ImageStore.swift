import BuildModel
import CanonicalJSON

/// An image store of the overlay2 driver as it lies in a data partition (Docker 20.10 and balenaEngine keep it alike).
struct ImageStore: Sendable {
  static let root = "docker"
  static let images = "docker/image/overlay2"
  static let layers = "docker/image/overlay2/layerdb/sha256"
  static let trees = "docker/overlay2"

  /// A layer that the store has: the directory of its tree, and the short name that stands in mount options.
  struct Layer: Sendable, Equatable {
    let cacheID: String
    let link: String
  }
  private(set) var chains: [Digest: Layer] = [:]
  /// Repositories by name, each with its references (`name:tag`, `name@digest`) and the image they mean.
  var repositories: [String: [String: String]] = [:]
  private(set) var links: Set<String> = []
  private(set) var cacheIDs: Set<String> = []

  /// An empty one.
  init() {}

  init(readingFrom fileSystem: Ext4FileSystem) throws(PreloadError) {
    guard try fileSystem.lookup(Self.root) != nil else {
      for old in ["balena", "rce"] where try fileSystem.lookup(old) != nil {
        throw .damagedStore(path: old, reason: "is the store of an engine that is too old to be preloaded")
      }
      return
    }
    let drivers = try fileSystem.names(in: "docker/image")
    guard drivers.isEmpty || drivers.contains("overlay2") else {
      throw .damagedStore(path: "docker/image", reason: "belongs to the storage driver \(drivers.joined(separator: ", ")), not to overlay2")
    }
    links = Set(try fileSystem.names(in: "\(Self.trees)/l"))
    cacheIDs = Set(try fileSystem.names(in: Self.trees))
    for name in try fileSystem.names(in: Self.layers) {
      let path = "\(Self.layers)/\(name)"
      guard let chain = Digest(hex: name) else { throw .damagedStore(path: path, reason: "is not named like a layer") }
      let cacheID = try Self.text(fileSystem, "\(path)/cache-id")
      guard Self.isName(cacheID) else { throw .damagedStore(path: "\(path)/cache-id", reason: "does not name a directory") }
      let link = try Self.text(fileSystem, "\(Self.trees)/\(cacheID)/link")
      guard links.contains(link) else { throw .damagedStore(path: "\(Self.trees)/\(cacheID)/link", reason: "names a link that does not exist") }
      chains[chain] = Layer(cacheID: cacheID, link: link)
    }
    guard let json = try fileSystem.contents("\(Self.images)/repositories.json", limit: 16 << 20) else { return }
    do { repositories = try CanonicalJSON.decode(Repositories.self, from: json).repositories } catch {
      throw .damagedStore(path: "\(Self.images)/repositories.json", reason: "cannot be read: \(error)")
    }
  }

  /// Names a layer that is written now: derived from its chain, so that equal inputs give equal disks, and unlike all that are there.
  mutating func add(_ chain: Digest) -> Layer {
    var attempt = 0
    while true {
      let cacheID = ImageRecord.digest(of: "cache \(attempt) \(chain)").hex
      let link = Self.linkName(ImageRecord.digest(of: "link \(attempt) \(chain)"))
      if !cacheIDs.contains(cacheID), !links.contains(link) {
        cacheIDs.insert(cacheID)
        links.insert(link)
        let layer = Layer(cacheID: cacheID, link: link)
        chains[chain] = layer
        return layer
      }
      attempt += 1
    }
  }

  /// Names an image; a tag that was another image's moves.
  mutating func tag(_ image: ImageRecord) {
    for name in image.names {
      if let tag = name.tag { repositories[name.repository, default: [:]]["\(name.repository):\(tag)"] = image.id.description }
      repositories[name.repository, default: [:]]["\(name.repository)@\(image.manifestDigest)"] = image.id.description
    }
  }

  /// `repositories.json`.
  func repositoriesFile() throws(PreloadError) -> [UInt8] {
    do { return try CanonicalJSON.encode(Repositories(repositories: repositories)) } catch {
      throw .write(path: "\(Self.images)/repositories.json", reason: "\(error)")
    }
  }

  private struct Repositories: Codable {
    let repositories: [String: [String: String]]
    enum CodingKeys: String, CodingKey { case repositories = "Repositories" }
  }

  private static func text(_ fileSystem: Ext4FileSystem, _ path: String) throws(PreloadError) -> String {
    guard let bytes = try fileSystem.contents(path, limit: 4096), let text = String(validating: bytes, as: UTF8.self) else {
      throw .damagedStore(path: path, reason: "is missing or not text")
    }
    return text.trimmingTrailingNewline()
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || (65...90).contains($0) || $0 == 45 || $0 == 95 }
  }

  /// 26 characters, as many as the engine's own have.
  private static func linkName(_ digest: Digest) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
    let digits = Array(digest.hex.utf8).map { $0 < 58 ? $0 - 48 : $0 - 87 }
    return String(decoding: (0..<26).map { alphabet[Int((digits[2 * $0] & 1) << 4 | digits[2 * $0 + 1])] }, as: UTF8.self)
  }
}

extension String {
  fileprivate func trimmingTrailingNewline() -> String { hasSuffix("\n") ? String(dropLast()) : self }
}
