import BuildModel
import FoundationEssentials

/// Writes container images into the image store of a data partition.
///
/// Layout, modes and file formats are those that Docker 20.10 leaves with the overlay2 driver.
struct ImageStoreWriter: ~Copyable {
  private let fileSystem: Ext4FileSystem
  private var store: ImageStore
  /// For everything that the layers do not bring a time for.
  private let time: Int64

  init(_ fileSystem: Ext4FileSystem, time: Int64) throws(PreloadError) {
    self.fileSystem = fileSystem
    self.time = time
    store = try ImageStore(readingFrom: fileSystem)
  }

  /// Adds the images; `layers` holds by diff id every layer that the store does not have. Returns what was written.
  mutating func add(_ images: [ImageRecord], layers: [Digest: UnpackedLayer], report: inout PreloadReport) throws(PreloadError) {
    try makeDirectories()
    for image in images {
      var below: [String] = []
      for (index, chain) in image.chains.enumerated() {
        if let known = store.chains[chain] {
          below.insert(known.link, at: 0)
          report.layersSkipped += 1
          continue
        }
        guard let layer = layers[image.layers[index].diffID] else {
          throw .layer(digest: image.layers[index].diffID, reason: "it was not read")
        }
        let names = store.add(chain)
        let count = try write(layer, as: names, chain: chain, parent: index == 0 ? nil : image.chains[index - 1], below: below)
        below.insert(names.link, at: 0)
        report.layersWritten += 1
        report.entries += count.files
        report.bytes += count.bytes
      }
      try fileSystem.file("\(ImageStore.images)/imagedb/content/sha256/\(image.id.hex)", image.config, mode: 0o600, time: time)
      store.tag(image)
    }
    try fileSystem.file("\(ImageStore.images)/repositories.json", try store.repositoriesFile(), mode: 0o600, time: time)
  }

  private func makeDirectories() throws(PreloadError) {
    let directories: [(String, UInt16)] = [
      ("docker", 0o711), ("docker/image", 0o700), (ImageStore.images, 0o700), ("\(ImageStore.images)/distribution", 0o700),
      ("\(ImageStore.images)/imagedb", 0o700), ("\(ImageStore.images)/imagedb/content", 0o700),
      ("\(ImageStore.images)/imagedb/content/sha256", 0o700), ("\(ImageStore.images)/imagedb/metadata", 0o700),
      ("\(ImageStore.images)/imagedb/metadata/sha256", 0o700), ("\(ImageStore.images)/layerdb", 0o700), (ImageStore.layers, 0o755),
      (ImageStore.trees, 0o710), ("\(ImageStore.trees)/l", 0o700),
    ]
    for (path, mode) in directories { try fileSystem.directory(path, mode: mode, time: time) }
  }

  /// The layer's tree first, its record in layerdb last: the record is what makes it count.
  private func write(
    _ layer: UnpackedLayer, as names: ImageStore.Layer, chain: Digest, parent: Digest?, below: [String]
  ) throws(PreloadError) -> Ext4FileSystem.TreeCount {
    let tree = "\(ImageStore.trees)/\(names.cacheID)"
    let directory = try fileSystem.directory(tree, mode: 0o710, time: time)
    let count = try fileSystem.write(layer, as: "diff", in: directory, path: tree, now: time)
    try file("\(tree)/link", names.link)
    if !below.isEmpty {
      try fileSystem.directory("\(tree)/work", mode: 0o700, time: time)
      try file("\(tree)/lower", below.map { "l/\($0)" }.joined(separator: ":"))
    }
    try fileSystem.file("\(tree)/committed", [], mode: 0o600, time: time)
    try fileSystem.symlink("\(ImageStore.trees)/l/\(names.link)", to: "../\(names.cacheID)/diff", time: time)

    let record = "\(ImageStore.layers)/\(chain.hex)"
    try fileSystem.directory(record, mode: 0o700, time: time)
    try file("\(record)/diff", layer.diffID.description)
    try file("\(record)/size", String(layer.appliedSize))
    try file("\(record)/cache-id", names.cacheID)
    if let parent { try file("\(record)/parent", parent.description) }
    try fileSystem.file("\(record)/tar-split.json.gz", layer.tarSplit, mode: 0o644, time: time)
    return count
  }

  private func file(_ path: String, _ text: String) throws(PreloadError) {
    try fileSystem.file(path, Array(text.utf8), mode: 0o644, time: time)
  }
}
