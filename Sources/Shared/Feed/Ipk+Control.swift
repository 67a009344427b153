import CArchive
import Glibc

extension Ipk {
  /// What a control archive may hold: it is small by nature.
  private static let controlLimits = (entries: 1000, entry: Int64(16 << 20), bytes: Int64(64 << 20), control: Int64(1 << 20))

  /// Names of the maintainer scripts in the control archive.
  package func maintainerScripts() throws(FeedError) -> [String] { try readControl().scripts }

  /// The fields of the `control` file, in its order.
  package func controlFields() throws(FeedError) -> ControlFields {
    guard let text = try readControl().control else { throw .malformed(file: path, reason: "has no 'control' file") }
    return try ControlFields(text, file: "\(path) (control)")
  }

  private func readControl() throws(FeedError) -> (control: [UInt8]?, scripts: [String]) {
    let known: Set<String> = ["preinst", "postinst", "prerm", "postrm"]
    func limits(_ compressed: Int64) -> ArchiveLimits { ArchiveLimits(compressed: compressed, bytes: Self.controlLimits.bytes, ratio: .max) }
    var text: [UInt8]?
    var scripts: [String] = []
    var failure: FeedError?
    try withArchive(.control, limits: limits) { (reader) throws(FeedError) in
      var count = 0
      while let header = try reader.next() {
        count += 1
        guard count <= Self.controlLimits.entries, archive_entry_size(header) <= Self.controlLimits.entry else {
          throw .malformed(
            file: path,
            reason: "control archive with more than \(Self.controlLimits.entries) entries or one of more than \(Self.controlLimits.entry >> 20) MiB")
        }
        let name = String(decoding: ArchiveReader.path(header), as: UTF8.self)
        let last = name.hasPrefix("./") ? String(name.dropFirst(2)) : name
        if known.contains(last) { scripts.append(last) }
        guard last == "control" else { continue }
        guard text == nil else { throw .malformed(file: path, reason: "has two 'control' files") }
        guard archive_entry_filetype(header) == 0o100000, archive_entry_size(header) <= Self.controlLimits.control else {
          throw .malformed(file: path, reason: "its 'control' is no file of at most \(Self.controlLimits.control >> 20) MiB")
        }
        var bytes: [UInt8] = []
        do {
          try reader.data { bytes.append(contentsOf: $0) }
        } catch {
          failure = error as? FeedError ?? .malformed(file: path, reason: "\(error)")
          return
        }
        text = bytes
      }
    }
    if let failure { throw failure }
    return (text, scripts.sorted())
  }
}
