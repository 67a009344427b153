import BuildModel
import OCIImage
import Preload

/// Which of the container images at a place go into a disk image.
struct PreloadChoice {
  private(set) var images: StoredImages
  /// The disk image's path, for messages.
  let image: String
  /// nil where the disk image does not say: then platforms are not compared.
  let disk: DiskPlatform?

  init(_ images: StoredImages, image: String, disk: DiskPlatform?) {
    self.images = images
    self.image = image
    self.disk = disk
  }

  /// The images of these names, or all. Every one is for the disk image's platform.
  mutating func choose(_ names: [String]) throws -> [StoredImage] {
    guard !names.isEmpty else { return try chooseAll() }
    return try names.map { name in
      let named = images.candidates(called: name)
      // An unknown name is refused with those that there are.
      return named.isEmpty ? try images.select(name) : try one(of: named)
    }
  }

  private mutating func chooseAll() throws -> [StoredImage] {
    let groups = images.groups
    guard !groups.isEmpty else { return [try images.select()] }
    let fitting = groups.filter { group in group.contains { isForDisk($0.platform) } }
    if groups.count > 1, fitting.count < groups.count || disk == nil && Self.areForSeveralPlatforms(groups.flatMap { $0 }) {
      let offered = groups.map { group in "\(group[0].label) (\(Self.platforms(of: group)))" }.joined(separator: ", ")
      throw ToolboxError.usage("\(images.place) has images of several platforms; name the ones to preload with --tag: \(offered)")
    }
    return try groups.map { try one(of: $0) }
  }

  private mutating func one(of group: [StoredImages.Candidate]) throws -> StoredImage {
    guard group.contains(where: { isForDisk($0.platform) }) else { throw refusal(group[0].label, Self.platforms(of: group)) }
    let chosen = try images.select(among: group, platform: disk?.platform)
    // What an index says of an image need not be true.
    guard isForDisk(chosen.config.platform) else { throw refusal(group[0].label, chosen.config.platform.map { "\($0)" } ?? "") }
    return chosen
  }

  private func isForDisk(_ platform: Platform?) -> Bool {
    guard let disk, let platform else { return true }
    return platform.fits(disk.platform)
  }

  private func refusal(_ label: String, _ platforms: String) -> ToolboxError {
    guard let disk else { return .usage("\(label) is for \(platforms)") }
    return .usage(
      "container image \(label) is for \(platforms), the disk image \(image) is for \(disk.platform) (\(disk.source)); "
        + "choose an image for that platform, or correct it with --platform")
  }

  private static func areForSeveralPlatforms(_ candidates: [StoredImages.Candidate]) -> Bool {
    let platforms = candidates.compactMap(\.platform)
    return platforms.contains { one in platforms.contains { !$0.fits(one) } }
  }

  private static func platforms(of group: [StoredImages.Candidate]) -> String {
    let known = Set(group.compactMap { $0.platform.map { "\($0)" } }).sorted()
    return known.isEmpty ? "an unknown platform" : known.joined(separator: ", ")
  }
}
