import CanonicalJSON

extension DeviceTypeReport {
  /// The report as ``CanonicalJSON/encode(_:)`` writes it, faster: a real feed has 1,600 files, and the general encoder takes most of an unchanged
  /// night for them.
  package func record() throws(JSONProblem) -> [UInt8] {
    guard artifacts.count > 1 else { return try CanonicalJSON.encode(self) }
    var rest = self
    rest.artifacts = []
    let frame = try CanonicalJSON.encode(rest)
    // Quotes in a text are escaped, so this can only be the member itself.
    let member = Array("\"artifacts\":[".utf8)
    guard let place = frame.firstRange(of: member) else { return try CanonicalJSON.encode(self) }
    var record = Array(frame[..<place.upperBound])
    record.reserveCapacity(frame.count + artifacts.count * 220)
    for (number, file) in artifacts.enumerated() {
      if number > 0 { record.append(UInt8(ascii: ",")) }
      try file.append(to: &record)
    }
    return record + frame[place.upperBound...]
  }
}

extension DeviceTypeReport.File {
  fileprivate func append(to record: inout [UInt8]) throws(JSONProblem) {
    guard path.text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) else {
      record += try CanonicalJSON.encode(self)
      return
    }
    record += "{\"digest\":\"sha256:".utf8
    record += digest.hex.utf8
    record += "\",\"path\":\"".utf8
    record += path.text.utf8
    record += "\",\"size\":".utf8
    record += "\(size)}".utf8
  }
}
