import TestPeers

/// Compresses with the real programs.
enum Packer {
  static func pack(_ bytes: [UInt8], _ program: String) throws -> [UInt8] { try Tool.bytes([program, "-c", "-q"], input: bytes) }

  /// Standard output of a command that must end well.
  @discardableResult
  static func shell(_ command: String) throws -> [UInt8] { try Tool.bytes(["bash", "-euo", "pipefail", "-c", command]) }
}
