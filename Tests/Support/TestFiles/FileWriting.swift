import FoundationEssentials

/// Writes a file, and makes the directories above it.
package func write(_ bytes: [UInt8], to path: String) throws {
  let file = URL(filePath: path)
  try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
  try Data(bytes).write(to: file)
}
