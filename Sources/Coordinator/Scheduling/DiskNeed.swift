import BuildModel

/// How much free disk a host must have for an attempt. Pure.
package enum DiskNeed {
  /// What a real Yocto build needs where nobody has said or seen better: other Yocto projects plan with it, with rm_work.
  package static let realBuild = ByteCount(bytes: 50_000_000_000)

  /// Earlier attempts that are looked at.
  package static let attemptsSeen = 5

  /// What was seen counts more than what was stated. `seen` are the bytes that earlier attempts of the same kind took: the largest of them and half
  /// of it again, because downloads and shared state are not in it and grow as well. As workers count these bytes, they are believed up to four times
  /// what was stated.
  package static func need(stated: ByteCount?, seen: [Int64]) -> ByteCount {
    let stated = stated ?? realBuild
    guard let largest = seen.max(), largest > 0 else { return stated }
    let believed = ByteCount(bytes: stated.bytes.multipliedReportingOverflow(by: 4).overflow ? .max : stated.bytes * 4)
    return min(believed, ByteCount(bytes: largest.addingSaturated(largest / 2)))
  }
}
