import BoundedConcurrency
import BuildModel

/// Reads several layers at once, one per processor.
enum LayerReading {
  /// The layers by diff id. The first error ends the reading, what is on its way is finished.
  static func read(_ layers: [PreloadImage.Layer], scratch: String, time: Int64) throws(PreloadError) -> [Digest: UnpackedLayer] {
    let sizes = try layers.map { (layer) throws(PreloadError) in try DiskFile(layer.path, .read).size() }
    let unpacked = try layers.parallelMap(largestFirst: sizes) { (layer) throws(PreloadError) in
      try UnpackedLayer.read(
        layer.path, digest: layer.digest, diffID: layer.diffID, spool: "\(scratch)/\(layer.diffID.hex)", time: time)
    }
    return Dictionary(unpacked.map { ($0.diffID, $0) }, uniquingKeysWith: { $1 })
  }
}
