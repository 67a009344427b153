import BuildModel
import CanonicalJSON
import Foundation
import TestFiles
import TestPeers
import Testing

/// A private root of the real worker program, run as an ordinary user (as `nobody` where the tests are run by root), with the sample repositories at hand.
final class WorkerHost {
  /// A directory that the worker's account can reach; goes with the object.
  private let directory: ScratchDirectory
  var scratch: String { directory.path }
  var root: String { scratch + "/root" }
  /// What the worker's account has in its environment besides PATH and HOME.
  var variables: [String: String] = [:]
  private let isRoot: Bool

  /// With `asRoot` the worker runs as the tests do; it takes no specs then that need bitbake.
  init(asRoot: Bool = false) throws {
    isRoot = asRoot
    directory = try ScratchDirectory()
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    // By another process: a program that this one held open for writing while a further test forks cannot be executed ("text file busy").
    try Tool.run("cp", Project.program("blockfarm-worker"), program)
    if !asRoot { try OrdinaryUser.own(root) }
  }

  deinit {
    // Whatever a failed test left behind.
    for attempt in (try? FileManager.default.contentsOfDirectory(atPath: root + "/attempts")) ?? [] { _ = try? run(["cancel", attempt]) }
  }

  var program: String { scratch + "/blockfarm-worker" }

  func words(_ arguments: [String], environment: [String: String] = [:]) -> [String] {
    let isComplete = arguments.contains("--root") || environment["SSH_ORIGINAL_COMMAND"] != nil && arguments.isEmpty
    return (isRoot ? [] : OrdinaryUser.words) + [program] + arguments + (isComplete ? [] : ["--root", root])
  }

  func environment(_ more: [String: String] = [:]) -> [String: String] {
    ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": scratch].merging(variables) { $1 }.merging(more) { $1 }
  }

  /// The worker as a child, as the ordinary user.
  func child(_ arguments: [String], input: [UInt8]) throws -> Child {
    try Child(words(arguments), environment: environment(), directory: "/", input: .bytes(input), limit: 600)
  }

  struct Answer {
    var status: Int32
    /// The lines after the marker.
    var lines: [String]
    var errors: String
  }

  /// Runs one verb to its end.
  func run(_ arguments: [String], input: Data = Data(), environment: [String: String] = [:]) throws -> Answer {
    let ended = try Tool.end(
      of: words(arguments, environment: environment), input: Array(input), environment: self.environment(environment), directory: "/", limit: 600)
    var lines = ended.output.split(separator: "\n").map(String.init)
    if lines.first == WorkerProtocol.marker { lines.removeFirst() }
    return Answer(status: ended.status, lines: lines, errors: ended.errors)
  }

  /// Runs a verb that answers with one JSON line.
  func ask<Value: Decodable>(_ type: Value.Type, _ arguments: [String], input: Data = Data()) throws -> Value {
    let answer = try run(arguments, input: input)
    try #require(answer.status == 0 && answer.lines.count == 1, "\(arguments): status \(answer.status): \(answer.errors)")
    return try CanonicalJSON.decode(type, from: answer.lines[0].utf8)
  }

  // MARK: Attempts

  func start(_ spec: TaskSpec, secrets: [String: String]? = nil) throws -> StartAnswer {
    var input = Data(try WorkerProtocol.line(spec))
    if let secrets { input += Data(try WorkerProtocol.line(secrets)) }
    return try ask(StartAnswer.self, ["start"], input: input)
  }

  /// Puts a program of the fixtures before all others of its name; what it keeps, it keeps in the directory that is returned.
  func install(_ fixture: String) throws -> String {
    let directory = scratch + "/bin"
    try FileManager.default.createDirectory(atPath: directory + "/state", withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: Fixtures().path(fixture), toPath: "\(directory)/\(fixture)")
    for path in [directory, directory + "/state"] { try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path) }
    variables["PATH"] = "\(directory):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"
    return directory
  }

  /// Starts an attempt with the sources that it needs.
  func startWithSources(_ spec: TaskSpec, of sample: SampleRepository, faults: String? = nil, environment: [String: String] = [:]) throws {
    let secrets = faults.map { ["MINIATURE_FAULTS": $0] }
    var answer = try start(spec, secrets: secrets)
    if case .missing(let missing) = answer {
      for source in missing {
        let bundle = try sample.bundle(for: source)
        let sent = try run(["source", "put", source.mirror.description, source.commit.hex], input: bundle)
        try #require(sent.status == 0, "source put: \(sent.errors)")
      }
      let before = variables
      variables.merge(environment) { _, new in new }
      defer { variables = before }
      answer = try start(spec, secrets: secrets)
    }
    try #require(answer == .started)
  }

  /// Attaches from the beginning and returns all lines; the last one is the outcome.
  func attach(_ attempt: AttemptID, from: Int = 1, logFrom: Int64 = 0) throws -> [AttachLine] {
    let answer = try run(["attach", attempt.description, "--from", "\(from)", "--log-from", "\(logFrom)"])
    try #require(answer.status == 0, "attach: \(answer.errors)")
    return try answer.lines.map { try CanonicalJSON.decode(AttachLine.self, from: $0.utf8) }
  }

  func outcome(_ attempt: AttemptID) throws -> Outcome {
    let lines = try attach(attempt)
    guard case .event(let event)? = lines.last, case .outcome(let outcome) = event.kind else {
      throw Failure(kind: .lost, step: nil, reason: "attach ended without an outcome")
    }
    return outcome
  }

  /// Attaches and waits until a line fulfils the condition; ends the attach then.
  func follow(_ attempt: AttemptID, until condition: (AttachLine) -> Bool) throws {
    try withChild(words(["attach", attempt.description]), environment: environment(), directory: "/") { child in
      var seen = 0
      try child.waitFor("the line that was waited for", on: .output) { text in
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        defer { seen = lines.count }
        return lines.dropFirst(seen).contains { (try? CanonicalJSON.decode(AttachLine.self, from: $0.utf8)).map(condition) == true } ? () : nil
      }
    }
  }

  /// The runner's process id, from the lock file.
  func runner(_ attempt: AttemptID) throws -> pid_t {
    let text = try String(contentsOfFile: "\(root)/attempts/\(attempt)/lock", encoding: .utf8)
    return try #require(text.split(separator: " ").first.flatMap { pid_t($0) })
  }

  /// Processes that carry the attempt's mark or work in its directory, looked up independently of the worker.
  func processes(_ attempt: AttemptID) throws -> [pid_t] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter { pid in
      let directory = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")) ?? ""
      let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
      return directory.hasPrefix("\(root)/attempts/\(attempt)")
        || String(decoding: environment, as: UTF8.self).contains("BLOCKFARM_ATTEMPT=\(attempt)")
    }
  }
}
