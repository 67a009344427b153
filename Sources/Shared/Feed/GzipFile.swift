/// Reads compressed files of a feed whole, within a bound.
package enum GzipFile {
  package static func inflate(_ path: String, limit: Int) throws(FeedError) -> [UInt8] {
    var bytes: [UInt8] = []
    do {
      try ArchiveReader.decompress(path) { piece in
        guard bytes.count + piece.count <= limit else {
          throw FeedError.malformed(file: path, reason: "is larger than \(limit >> 20) MiB when unpacked")
        }
        bytes.append(contentsOf: piece)
      }
    } catch let error as FeedError {
      throw error
    } catch {
      throw .malformed(file: path, reason: "\(error)")
    }
    return bytes
  }
}
