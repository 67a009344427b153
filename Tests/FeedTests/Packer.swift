import Foundation
import TestFiles
import Testing

/// Compresses with the real programs.
enum Packer {
  static func pack(_ bytes: [UInt8], _ program: String) throws -> [UInt8] {
    try withScratchDirectory { scratch in
      try write(bytes, to: scratch + "/in")
      return try shell("\(program) -c -q < '\(scratch)/in'")
    }
  }

  /// Standard output of a command that must end well.
  @discardableResult
  static func shell(_ command: String) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-euo", "pipefail", "-c", command]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(command)")
    return Array(output)
  }
}
