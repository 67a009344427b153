import BoundedConcurrency
import BuildModel
import OCIImage

/// Reads several layers at once, one per processor.
enum LayerReading {
  /// The layers by diff id. The first error ends the reading, what is on its way is finished.
  static func read(_ layers: [StoredImage.Layer], scratch: String, time: Int64) throws(PreloadError) -> [Digest: UnpackedLayer] {
    let unpacked = try layers.parallelMap(largestFirst: layers.map(\.size)) { (layer) throws(PreloadError) in
      try UnpackedLayer.read(layer, spool: "\(scratch)/\(layer.diffID.hex)", time: time)
    }
    return Dictionary(unpacked.map { ($0.diffID, $0) }, uniquingKeysWith: { $1 })
  }
}
