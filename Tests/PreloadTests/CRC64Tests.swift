import Testing

@testable import Preload

@Suite struct CRC64Tests {
  /// Check value of CRC-64/GO-ISO in the catalogue of CRC algorithms.
  @Test func checkValue() {
    var crc = CRC64()
    Array("123456789".utf8).withUnsafeBytes { crc.update($0) }
    #expect(crc.bigEndianBytes == [0xB9, 0x09, 0x56, 0xC7, 0x75, 0xA4, 0x10, 0x01])
  }
}
