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

  /// The first line is one package's list, the rest another's.
  static func relations(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: 10, maxSplits: 1, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    let lists = lines.map { PackageRelation.list($0, allowsAlternatives: true) }
    for list in lists {
      demand(list.unreadable.count <= 10 && list.unreadable.allSatisfy { $0.count <= 100 }, "what cannot be read is bounded")
      for one in list.relations {
        demand(one.name.utf8.allSatisfy { (33...126).contains($0) && !",|()<>=".utf8.contains($0) }, "name '\(one.name)'")
        demand(PackageRelation.list(one.description, allowsAlternatives: false).relations == [one], "'\(one)' is read again")
        demand(one.isMet(by: one), "'\(one)' fits itself")
        demand(PackageRelation(name: one.name, constraint: nil).isMet(by: one), "'\(one)' has its name")
      }
    }
    for one in lists.first?.relations.prefix(20) ?? [] {
      for other in lists.last?.relations.prefix(20) ?? [] where one.constraint != nil && other.constraint != nil {
        demand(one.isMet(by: other) == other.isMet(by: one), "'\(one)' and '\(other)' fit each other, or none of them does")
      }
    }
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
