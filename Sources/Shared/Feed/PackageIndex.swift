import BuildModel
import FoundationEssentials

/// One stanza of a `Packages` file.
package struct PackageStanza: Hashable, Sendable {
  package var name: PackageName
  package var version: OpkgVersion
  /// `Architecture:`; the directory decides about preference, not this field.
  package var architecture: String
  /// Relative to the index's directory.
  package var file: RelativePath
  package var size: Int64
  package var sha256: Digest?
  /// Lower-case hexadecimal, only looked at when there is no sha256.
  package var md5: String?
  /// The recipe (`OE:`), else what `Source:` names.
  package var recipe: String?
  package var license: String?

  /// Whether both promise the same bytes, by the digests that the index gives.
  func hasSameContent(as other: PackageStanza) -> Bool { size == other.size && sha256 == other.sha256 && md5 == other.md5 }
}

/// A parsed `Packages` file.
package struct PackageIndex: Sendable {
  package var stanzas: [PackageStanza]

  /// More stanzas than any feed has are an attack or a mistake.
  static let stanzaLimit = 200_000

  init(stanzas: [PackageStanza]) { self.stanzas = stanzas }

  /// Parses stanzas separated by blank lines, `Key: value` with continuation lines that begin with a blank.
  package init(_ bytes: [UInt8], file: String) throws(FeedError) {
    stanzas = []
    var fields: [String: String] = [:]
    var line = 0
    var isInStanza = false
    for raw in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      line += 1
      if raw.allSatisfy({ $0 == 32 || $0 == 9 || $0 == 13 }) {
        try add(fields, file: file, line: line)
        fields.removeAll(keepingCapacity: true)
        isInStanza = false
        continue
      }
      if raw.first == 32 || raw.first == 9 {
        guard isInStanza else { throw .malformed(file: file, reason: "line \(line) continues nothing") }
        continue
      }
      isInStanza = true
      guard let colon = raw.firstIndex(of: UInt8(ascii: ":")) else {
        throw .malformed(file: file, reason: "line \(line) is neither 'Key: value' nor a continuation")
      }
      let key = String(decoding: raw[..<colon], as: UTF8.self)
      guard Self.known.contains(key) else { continue }
      guard fields[key] == nil else { throw .malformed(file: file, reason: "line \(line) gives '\(key)' twice") }
      var value = raw[(colon + 1)...]
      while let first = value.first, first == 32 || first == 9 { value = value.dropFirst() }
      while let last = value.last, last == 32 || last == 9 || last == 13 { value = value.dropLast() }
      fields[key] = String(decoding: value, as: UTF8.self)
    }
    try add(fields, file: file, line: line)
  }

  private static let known: Set<String> = [
    "Package", "Version", "Architecture", "Filename", "Size", "SHA256sum", "SHA256", "MD5Sum", "OE", "Source", "License",
  ]

  private mutating func add(_ fields: [String: String], file: String, line: Int) throws(FeedError) {
    if fields.isEmpty { return }
    func wrong(_ reason: String) -> FeedError { .malformed(file: file, reason: "stanza before line \(line): \(reason)") }
    guard let text = fields["Package"] else { throw wrong("no 'Package'") }
    guard let name = try? PackageName(text) else { throw wrong("'\(text.prefix(100))' is not a package name") }
    guard let version = fields["Version"], OpkgVersion.isValid(version) else { throw wrong("\(name) has no valid 'Version'") }
    guard let path = fields["Filename"].map({ $0.hasPrefix("./") ? String($0.dropFirst(2)) : $0 }).flatMap({ RelativePath($0) }) else {
      throw wrong("\(name) has no 'Filename' inside its directory")
    }
    guard let size = fields["Size"].flatMap({ Int64($0) }), size >= 0 else { throw wrong("\(name) has no 'Size'") }
    let sha256 = (fields["SHA256sum"] ?? fields["SHA256"]).map { Digest(hex: $0.lowercased()) }
    if let sha256, sha256 == nil { throw wrong("\(name) has a SHA256sum that is none") }
    guard stanzas.count < Self.stanzaLimit else { throw wrong("more than \(Self.stanzaLimit) packages") }
    stanzas.append(
      PackageStanza(
        name: name, version: OpkgVersion(version), architecture: fields["Architecture"] ?? "", file: path, size: size,
        sha256: sha256 ?? nil, md5: fields["MD5Sum"]?.lowercased(), recipe: fields["OE"] ?? fields["Source"].map(Self.recipe),
        license: fields["License"]))
  }

  /// `hello-sh_1.2.bb` → `hello-sh`.
  private static func recipe(_ source: String) -> String { String(source.prefix { $0 != "_" }) }
}
