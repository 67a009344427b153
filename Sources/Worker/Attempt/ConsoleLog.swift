import Glibc

/// The build's output on disk: bounded, and without secrets.
package final class ConsoleLog {
  private let descriptor: Int32
  private let path: String
  private let limit: Int64
  private let secrets: [[UInt8]]
  private var size: Int64
  private var isCut = false

  /// Values shorter than four bytes are not looked for: they would blank out ordinary text.
  package init(path: String, limit: Int64, secrets: [String] = []) throws(AttemptError) {
    self.path = path
    self.limit = limit
    self.secrets = secrets.map { Array($0.utf8) }.filter { $0.count >= 4 }.sorted { $0.count > $1.count }
    descriptor = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system(operation: "open", path: path, errno: errno) }
    var status = stat()
    size = fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
  }

  deinit { close(descriptor) }

  /// Appends whole lines (without their newlines). The line that would pass the limit is replaced by a marker, later ones are dropped.
  package func write(_ lines: [[UInt8]]) throws(AttemptError) {
    guard !isCut, !lines.isEmpty else { return }
    var bytes: [UInt8] = []
    for line in lines {
      let clean = redact(line)
      if size + Int64(bytes.count + clean.count + 1) > limit {
        bytes += Array("[blockfarm] the log ends here at its limit of \(limit) bytes; the build goes on\n".utf8)
        isCut = true
        break
      }
      bytes += clean
      bytes.append(UInt8(ascii: "\n"))
    }
    try DurableFile.append(bytes, to: descriptor, path: path)
    size += Int64(bytes.count)
  }

  package func write(_ line: String) throws(AttemptError) { try write([Array(line.utf8)]) }

  /// The line with every secret value replaced.
  func redact(_ line: [UInt8]) -> [UInt8] {
    var line = line
    for secret in secrets where line.count >= secret.count {
      var result: [UInt8] = []
      var index = 0
      while index < line.count {
        if line[index] == secret[0], line[index...].starts(with: secret) {
          result += Array("[secret]".utf8)
          index += secret.count
        } else {
          result.append(line[index])
          index += 1
        }
      }
      line = result
    }
    return line
  }
}
