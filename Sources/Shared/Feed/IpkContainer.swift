import BuildModel
import FoundationEssentials

/// Where the two archives of a package lie in its file.
enum IpkContainer {
  enum Archive: String {
    case control = "control.tar"
    case data = "data.tar"
  }
  struct Member {
    var name: String
    /// Within the file.
    var range: Range<Int>
  }

  /// An `ar` archive: both are parts of the file.
  case ar(control: Member, data: Member)
  /// A tar, mostly compressed: the members' names. Their bytes come out of the file again each time.
  case tar(control: String, data: String)

  static let memberLimit = 16

  init(_ bytes: UnsafeRawBufferPointer, path: String) throws(FeedError) {
    if bytes.starts(with: "!<arch>\n".utf8) {
      let members = try Self.arMembers(bytes, path: path)
      guard members.first?.name == "debian-binary" else { throw .malformed(file: path, reason: "does not begin with debian-binary") }
      self = .ar(
        control: members[try Self.place(of: .control, in: members.map(\.name), path: path)],
        data: members[try Self.place(of: .data, in: members.map(\.name), path: path)])
    } else {
      let names = try Self.tarMembers(bytes, path: path)
      guard names.contains("debian-binary") else { throw .malformed(file: path, reason: "has no member debian-binary") }
      self = .tar(
        control: names[try Self.place(of: .control, in: names, path: path)], data: names[try Self.place(of: .data, in: names, path: path)])
    }
  }

  func withArchive<Value>(
    _ archive: Archive, of bytes: UnsafeRawBufferPointer, path: String, limits: (_ compressed: Int64) -> ArchiveLimits,
    body: (ArchiveReader) throws(FeedError) -> Value
  ) throws(FeedError) -> Value {
    switch self {
    case .ar(let control, let data):
      let member = archive == .control ? control : data
      let part = UnsafeRawBufferPointer(rebasing: bytes[member.range])
      return try ArchiveReader.withTar(
        .memory(part, limits: limits(Int64(part.count))), name: "\(path) (\(member.name))", body: body)
    case .tar(let control, let data):
      let name = archive == .control ? control : data
      return try Self.withTar(bytes, path: path) { (outer) throws(FeedError) in
        while let header = try outer.next() {
          guard Self.name(header) == name else { continue }
          // The file is what somebody had to pay for, whatever the outer archive makes of it.
          return try ArchiveReader.withTar(
            .pieces(limits: limits(Int64(bytes.count))) { (buffer) throws(FeedError) in try outer.read(into: buffer) }, name: "\(path) (\(name))",
            body: body)
        }
        throw .malformed(file: path, reason: "changed while it was read")
      }
    }
  }

  private static func place(of archive: Archive, in names: [String], path: String) throws(FeedError) -> Int {
    let prefix = archive.rawValue
    let found = names.indices.filter { names[$0] == prefix || names[$0].hasPrefix(prefix + ".") }
    guard found.count == 1 else { throw .malformed(file: path, reason: "has \(Counted(found.count, "member")) '\(prefix).*' instead of one") }
    return found[0]
  }
}
