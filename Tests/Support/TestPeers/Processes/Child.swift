import Foundation

/// A program that runs as a child of the tests, with a time limit and bounded output, and whose lines can be waited for.
///
/// ``withChild(_:environment:directory:input:limit:_:)`` ends it with a closure. One that is not ended runs until its limit, or until the tests end.
package final class Child: Sendable {
  package struct Ended: Sendable, CustomStringConvertible {
    /// The exit status, or 128 and the number of the signal.
    package var status: Int32
    package var output: String
    package var errors: String

    /// Everything that it printed.
    package var text: String { output + errors }
    package var description: String { "status \(status)\noutput: \(output)\nerrors: \(errors)" }
  }

  package enum Stream: Sendable { case output, errors }

  package let pid: pid_t
  /// The words that it was started with.
  package let name: String
  private let state: ChildState

  /// Starts it.
  ///
  /// - Parameter words: the program and its arguments. A program that is not there ends with status 127.
  /// - Parameter environment: all of it; nil is the tests' own.
  /// - Parameter directory: nil is the tests' own.
  /// - Parameter limit: seconds, after which its whole process group is killed.
  /// - Parameter outputLimit: bytes of each stream that are kept.
  package init(
    _ words: [String], environment: [String: String]? = nil, directory: String? = nil, input: Input = .nothing, limit: Double = 60,
    outputLimit: Int = 4 << 20
  ) throws {
    name = words.joined(separator: " ")
    state = ChildState(limit: outputLimit)
    let standardInput = try input.open()
    defer { close(standardInput.reading) }
    let (output, errors) = (try Pipe.make(), try Pipe.make())
    defer { for descriptor in [output.writing, errors.writing] { close(descriptor) } }
    let spawn = ChildSpawn(
      words: words, environment: environment ?? ProcessInfo.processInfo.environment, directory: directory,
      descriptors: [standardInput.reading, output.writing, errors.writing])
    let watch = ChildWatch(
      state: state, spawn: spawn, reading: [output.reading, errors.reading], holding: standardInput.writing, limit: limit)
    pid = try watch.start()
  }

  // MARK: Its end

  /// Waits for its end; its limit is the limit of this.
  package func wait() -> Ended {
    let last = ended()
    return Ended(
      status: last.status ?? -1, output: String(decoding: last.output, as: UTF8.self), errors: String(decoding: last.errors, as: UTF8.self))
  }

  func ended() -> ChildState.Snapshot {
    state.wait(seconds: .infinity) { $0.status != nil && $0.areStreamsClosed ? $0 : nil } ?? state.now
  }

  package func signal(_ number: Int32) { state.signal(number, group: false) }

  /// Kills its process group.
  package func killGroup() { state.signal(SIGKILL, group: true) }

  /// Ends it and waits for its end. It is asked first if `grace`, in seconds, is more than 0; what is left of its group after that is killed.
  package func end(grace: Double = 0) {
    if grace > 0 {
      signal(SIGTERM)
      _ = state.wait(seconds: grace) { $0.status }
    }
    killGroup()
    _ = ended()
  }

  // MARK: What it prints

  /// Everything that it has printed on one of its streams.
  package func text(of stream: Stream) -> String { String(decoding: bytes(of: stream, in: state.now), as: UTF8.self) }

  private func bytes(of stream: Stream, in snapshot: ChildState.Snapshot) -> Data { stream == .output ? snapshot.output : snapshot.errors }

  /// Waits until `match` finds something in what it has printed; throws when it ends, or the time is over, before that.
  package func waitFor<Found>(_ what: String, on stream: Stream = .errors, seconds: Double = 3600, _ match: (String) -> Found?) throws -> Found {
    let found = state.wait(seconds: seconds) { snapshot -> Result<Found, PeerError>? in
      let text = String(decoding: bytes(of: stream, in: snapshot), as: UTF8.self)
      if let found = match(text) { return .success(found) }
      return snapshot.status != nil && snapshot.areStreamsClosed ? .failure(PeerError("ended")) : nil
    }
    guard case .success(let value)? = found else {
      let last = state.now
      let printed = String(decoding: last.output.suffix(3000) + last.errors.suffix(3000), as: UTF8.self)
      throw PeerError("\(name) never said '\(what)' and \(last.status.map { "ended with \($0)" } ?? "still runs"): \(printed)")
    }
    return value
  }

  /// Waits until it prints `text`.
  package func waitFor(_ text: String, on stream: Stream = .errors, seconds: Double = 3600) throws {
    try waitFor(text, on: stream, seconds: seconds) { $0.contains(text) ? () : nil }
  }

  /// The rest of the first whole line that begins with `start`; nil when there is none yet.
  package func line(after start: String, on stream: Stream = .errors) -> String? { Self.line(after: start, in: text(of: stream)) }

  static func line(after start: String, in text: String) -> String? {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    return lines.first { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
  }
}
