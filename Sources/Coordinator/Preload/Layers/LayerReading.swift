import BuildModel
import Dispatch
import Synchronization

/// Reads several layers at once, one per core.
enum LayerReading {
  /// The layers by diff id. The first error ends the reading, what is on its way is finished.
  static func read(_ layers: [PreloadImage.Layer], scratch: String, time: Int64) throws(PreloadError) -> [Digest: UnpackedLayer] {
    let results = Mutex<[Int: Result<UnpackedLayer, PreloadError>]>([:])
    let failed = Atomic(false)
    // The largest first: the last one to end decides how long it takes.
    let order = try layers.indices.map { (index) throws(PreloadError) in (index, try DiskFile(layers[index].path, .read).size()) }.sorted {
      $0.1 > $1.1
    }
    DispatchQueue.concurrentPerform(iterations: order.count) { iteration in
      guard !failed.load(ordering: .relaxed) else { return }
      let index = order[iteration].0
      let result = Result { () throws(PreloadError) in
        try UnpackedLayer.read(
          layers[index].path, digest: layers[index].digest, diffID: layers[index].diffID, spool: "\(scratch)/\(layers[index].diffID.hex)", time: time)
      }
      if case .failure = result { failed.store(true, ordering: .relaxed) }
      results.withLock { $0[index] = result }
    }
    var found: [Digest: UnpackedLayer] = [:]
    for (_, result) in results.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      let layer = try result.get()
      found[layer.diffID] = layer
    }
    return found
  }
}
