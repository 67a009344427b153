import Feed

/// Indexes, control files and versions.
enum IndexInput {
  static func index(_ bytes: [UInt8]) {
    let readable = PackageIndex.readable(bytes)
    guard let index = try? PackageIndex(bytes, file: "Packages") else { return }
    demand(index.stanzas == readable, "strict and lenient reading differ")
    demand(index.stanzas.count == index.places.count, "a place for each stanza")
    for (stanza, place) in zip(index.stanzas, index.places) {
      demand(!stanza.file.text.hasPrefix("/") && !stanza.file.text.split(separator: "/").contains(".."), "file inside its directory")
      demand(stanza.size >= 0, "size")
      let again = try? PackageIndex(Array(bytes[place]), file: "place")
      demand(again?.stanzas == [stanza], "the place of \(stanza.name) holds it")
    }
  }

  static func control(_ bytes: [UInt8]) {
    guard let control = try? ControlFields(bytes, file: "control") else { return }
    let text = control.fields.map { "\($0.key): \($0.value)\n" }.joined()
    let again = try? ControlFields(Array(text.utf8), file: "control")
    demand(again?.fields == control.fields, "written and read again it is the same")
  }

  /// Lines of the input are versions: their order must be one.
  static func version(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: 10).prefix(3).compactMap { OpkgVersion(valid: String(decoding: $0, as: UTF8.self)) }
    for a in lines {
      demand(!(a < a) && a.isEquivalent(to: a), "\(a) is itself")
      for b in lines {
        demand(!(a < b && b < a), "\(a) and \(b) are both less")
        for c in lines where a < b && b < c { demand(a < c, "\(a) < \(b) < \(c)") }
        for c in lines where a.isEquivalent(to: b) && b.isEquivalent(to: c) { demand(a.isEquivalent(to: c), "\(a) = \(b) = \(c)") }
      }
    }
  }
}
