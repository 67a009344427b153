import Glibc

/// The header of a git bundle (gitformat-bundle(5), version 2 and 3), with the file standing at its pack.
final class Bundle {
  struct Head: Hashable {
    /// 40 hexadecimal digits: a commit, or an annotated tag.
    var id: String
    var name: String
  }

  /// Commits that the pack builds on.
  private(set) var prerequisites: [String] = []
  private(set) var heads: [Head] = []
  /// The bundle, open for reading where its pack begins.
  let descriptor: Int32

  private static let headerLimit = 4 << 20

  /// Opens a bundle; throws when it is none.
  init(path: String) throws(SourceError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
    self.descriptor = descriptor
    var header = [UInt8](repeating: 0, count: Self.headerLimit)
    let count = pread(descriptor, &header, header.count, 0)
    guard let end = Self.end(of: header.prefix(max(0, count))) else { throw Self.malformed("it has no header") }
    let lines = header[..<end].split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    guard let first = lines.first, first == "# v2 git bundle" || first == "# v3 git bundle" else {
      throw Self.malformed("it does not begin as one")
    }
    for line in lines.dropFirst() { try read(line) }
    guard !heads.isEmpty else { throw Self.malformed("it has no references") }
    guard lseek(descriptor, off_t(end + 2), SEEK_SET) >= 0 else { throw .system(operation: "seek", path: path, errno: errno) }
  }

  deinit { close(descriptor) }

  private func read(_ line: String) throws(SourceError) {
    if line.hasPrefix("@") {
      guard line == "@object-format=sha1" else { throw Self.malformed("its capability '\(line.prefix(80))' is not known") }
    } else if line.hasPrefix("-") {
      prerequisites.append(try Self.id(line.dropFirst()))
    } else {
      guard let blank = line.firstIndex(of: " ") else { throw Self.malformed("the line '\(line.prefix(80))' is no reference") }
      heads.append(Head(id: try Self.id(line[..<blank]), name: String(line[line.index(after: blank)...])))
    }
  }

  private static func id(_ text: Substring) throws(SourceError) -> String {
    let digits = text.prefix { $0 != " " }
    guard digits.utf8.count == 40, digits.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
      throw malformed("'\(text.prefix(80))' is no object id")
    }
    return String(digits)
  }

  /// Where the empty line stands that ends the header.
  private static func end(of bytes: ArraySlice<UInt8>) -> Int? {
    bytes.indices.dropLast().first { bytes[$0] == UInt8(ascii: "\n") && bytes[$0 + 1] == UInt8(ascii: "\n") }
  }

  private static func malformed(_ reason: String) -> SourceError {
    .git(operation: "bundle", subject: "header", output: reason)
  }
}
