import Foundation

/// A child process that ends when its keeper does: it reads an input that only the keeper holds open.
final class ChildProcess: @unchecked Sendable {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  /// Guards `lines` and `isEnded`; signalled at each change.
  private let changed = NSCondition()
  private var text = ""
  private var isEnded = false
  /// More than this of the output is not kept.
  private static let bound = 256 << 10

  /// Runs the words, and ends them when standard input ends.
  init(_ words: [String]) throws {
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "\"$@\" & child=$!; read -r line; kill $child; wait $child", "sh"] + words
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    // Children of the tests' own must not hold it open.
    for handle in [input.fileHandleForWriting, output.fileHandleForReading] { _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC) }
    try process.run()
    Thread.detachNewThread { [self] in
      while case let data = output.fileHandleForReading.availableData, !data.isEmpty {
        change { if $0.text.utf8.count < Self.bound { $0.text += String(decoding: data, as: UTF8.self) } }
      }
      process.waitUntilExit()
      change { $0.isEnded = true }
    }
  }

  private func change(_ body: (ChildProcess) -> Void) {
    changed.lock()
    body(self)
    changed.broadcast()
    changed.unlock()
  }

  /// Waits until the output matches; nil when the child ends or the time is over first.
  func waitForOutput<Found: Sendable>(seconds: Double, _ match: @escaping @Sendable (String) -> Found?) async -> Found? {
    await onThread { child in
      let limit = Date(timeIntervalSinceNow: seconds)
      child.changed.lock()
      defer { child.changed.unlock() }
      while true {
        if let found = match(child.text) { return found }
        if child.isEnded || !child.changed.wait(until: limit) { return match(child.text) }
      }
    }
  }

  var outputSoFar: String {
    changed.lock()
    defer { changed.unlock() }
    return text
  }

  /// Ends the child and waits for its end.
  func end() async {
    try? input.fileHandleForWriting.close()
    await onThread { child in
      let limit = Date(timeIntervalSinceNow: 10)
      child.changed.lock()
      while !child.isEnded, child.changed.wait(until: limit) {}
      let isEnded = child.isEnded
      child.changed.unlock()
      if !isEnded { kill(child.process.processIdentifier, SIGKILL) }
    }
  }

  /// Waits on a thread of its own: Swift's are few.
  private func onThread<Value: Sendable>(_ body: @escaping @Sendable (ChildProcess) -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread { [self] in continuation.resume(returning: body(self)) }
    }
  }

  /// The standard output of a short command; throws when it fails.
  static func output(_ words: [String]) async throws -> String {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        do {
          try process.run()
          let data = pipe.fileHandleForReading.readDataToEndOfFile()
          process.waitUntilExit()
          guard process.terminationStatus == 0 else {
            throw TestCloudError.tool(command: words.joined(separator: " "), reason: "status \(process.terminationStatus)")
          }
          continuation.resume(returning: String(decoding: data, as: UTF8.self))
        } catch {
          continuation.resume(throwing: error)
        }
      }
    }
  }
}
