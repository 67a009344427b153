import BuildModel
import Feed

/// A verified package with its entries; file contents lie in a spool.
struct UnpackedPackage: Sendable {
  struct Entry: Sendable {
    var entry: IpkEntry
    /// Where a file's bytes are.
    var extent: ContentSpool.Extent?
  }

  let item: PackageSelection.Item
  let entries: [Entry]
  let maintainerScripts: [String]
  let spool: ContentSpool

  /// Checks size and digest against the index, then unpacks the data archive into the spool.
  init(_ item: PackageSelection.Item, into spool: ContentSpool) throws {
    self.item = item
    self.spool = spool
    try PackageFeed.verify(item.candidate.stanza, at: item.candidate.path)
    let ipk = try Ipk(path: item.candidate.path)
    var entries: [Entry] = []
    try ipk.readData(package: item.name.text) { entry in
      guard case .file(let size) = entry.kind else {
        entries.append(Entry(entry: entry, extent: nil))
        return nil
      }
      entries.append(Entry(entry: entry, extent: ContentSpool.Extent(offset: spool.position, size: size)))
      return { try spool.append($0) }
    }
    try spool.flush()
    self.entries = entries
    maintainerScripts = try ipk.maintainerScripts()
  }
}
