import Foundation

/// A child process that ends when its keeper does, even when that is killed.
final class ChildProcess: @unchecked Sendable {
  private let process = Process()
  private let output = Pipe()
  /// Guards `text` and `isEnded`; signalled at each change.
  private let changed = NSCondition()
  private var text = ""
  private var isEnded = false
  /// More than this of the output is not kept.
  private static let bound = 256 << 10

  private init(_ words: [String]) {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
    process.arguments = ["--pdeathsig", "KILL"] + words
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
  }

  /// Runs the words; the first one is a path.
  static func start(_ words: [String]) async throws -> ChildProcess {
    let child = ChildProcess(words)
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      // The kernel ends the child with the thread that started it: this one stays until the child is gone.
      Thread.detachNewThread {
        do {
          try child.process.run()
        } catch {
          return continuation.resume(throwing: TestCloudError.tool(command: words[0], reason: error.localizedDescription))
        }
        continuation.resume()
        child.follow()
      }
    }
    return child
  }

  private func follow() {
    while case let data = output.fileHandleForReading.availableData, !data.isEmpty {
      change { if $0.text.utf8.count < Self.bound { $0.text += String(decoding: data, as: UTF8.self) } }
    }
    process.waitUntilExit()
    change { $0.isEnded = true }
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

  /// Ends the child at once and waits for its end: nothing that it holds is kept.
  func end() async {
    await onThread { child in
      let limit = Date(timeIntervalSinceNow: 10)
      child.changed.lock()
      if !child.isEnded { kill(child.process.processIdentifier, SIGKILL) }
      while !child.isEnded, child.changed.wait(until: limit) {}
      child.changed.unlock()
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
