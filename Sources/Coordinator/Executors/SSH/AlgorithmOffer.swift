/// The algorithms that a host offers, read from the first bytes that it sends (RFC 4253 sections 4.2, 6 and 7.1).
struct AlgorithmOffer: Hashable, Sendable {
  /// For a purpose, what is offered for each direction.
  private let offered: [SSHAlgorithms.Purpose: [[String]]]

  /// A purpose for which host and coordinator have no algorithm in common.
  struct Mismatch: Hashable, Sendable {
    let purpose: SSHAlgorithms.Purpose
    let offered: [String]
    let accepted: [String]
  }

  /// nil when the bytes do not go that far, or are something else.
  init?(opening: [UInt8]) {
    guard let list = Self.packets(opening).first(where: { $0.first == 20 }) else { return nil }
    // The type of the message and a random cookie come before the lists.
    var reader = SSHWireReader(list.dropFirst(17))
    var lists: [[String]] = []
    while lists.count < 6 {
      guard let names = reader.string() else { return nil }
      lists.append(names.split(separator: UInt8(ascii: ",")).map { String(decoding: $0, as: UTF8.self) })
    }
    // Signs between the two sides, which stand among the key exchanges (RFC 8308; openssh-portable, PROTOCOL section 1.10).
    lists[0].removeAll { name in ["ext-info-", "kex-strict-"].contains(where: name.hasPrefix) }
    offered = [.keyExchange: [lists[0]], .hostKey: [lists[1]], .cipher: [lists[2], lists[3]], .integrity: [lists[4], lists[5]]]
  }

  /// The first whole packets after the line with the version, without padding. They are not encrypted yet.
  private static func packets(_ opening: [UInt8]) -> [ArraySlice<UInt8>] {
    var rest = opening[...]
    var isVersion = false
    while !isVersion {
      guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return [] }
      isVersion = rest.starts(with: Array("SSH-".utf8))
      rest = rest[(end + 1)...]
    }
    var packets: [ArraySlice<UInt8>] = []
    while packets.count < 16 {
      var header = SSHWireReader(rest.prefix(5))
      guard let length = header.uint32(), let padding = header.byte(), length <= 35000, length > UInt32(padding), rest.count >= Int(length) + 4
      else { break }
      packets.append(rest.dropFirst(5).prefix(Int(length) - Int(padding) - 1))
      rest = rest.dropFirst(Int(length) + 4)
    }
    return packets
  }

  /// What keeps the two from speaking with each other; none when they could.
  func mismatches(with algorithms: SSHAlgorithms) -> [Mismatch] {
    SSHAlgorithms.Purpose.allCases.compactMap { purpose in
      let accepted = algorithms.accepted(purpose)
      guard let names = offered[purpose]?.first(where: { !$0.contains(where: accepted.contains) }) else { return nil }
      return Mismatch(purpose: purpose, offered: names, accepted: accepted)
    }
  }
}

extension AlgorithmOffer.Mismatch: CustomStringConvertible {
  var description: String {
    "\(purpose): the host offers \(offered.isEmpty ? "none" : Self.shown(offered)); accepted are \(accepted.joined(separator: ", "))"
  }

  /// What the file of the host could say so that the connection is made; nil where nothing helps.
  var addable: String? { SSHAlgorithms.addable(purpose, of: offered) }

  /// The host's names come from outside: a few, short, and without control characters.
  private static func shown(_ names: [String]) -> String {
    let shown = names.prefix(12).map { name in
      String(decoding: name.utf8.prefix(48).map { (33...126).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }.joined(separator: ", ")
    return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
  }
}
