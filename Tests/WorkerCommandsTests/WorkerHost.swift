import BuildModel
import Foundation
import TestFiles
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

  private static let nobody = 65534

  /// With `asRoot` the worker runs as the tests do; it takes no specs then that need bitbake.
  init(asRoot: Bool = false) throws {
    isRoot = asRoot
    directory = try ScratchDirectory()
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    // By another process: a program that this one held open for writing while a further test forks cannot be executed ("text file busy").
    let copy = try Process.run(URL(filePath: "/bin/cp"), arguments: [try Project.program("blockfarm-worker"), program])
    copy.waitUntilExit()
    try #require(copy.terminationStatus == 0)
    if getuid() == 0, !asRoot { try #require(chown(root, uid_t(Self.nobody), gid_t(Self.nobody)) == 0) }
  }

  deinit {
    // Whatever a failed test left behind.
    for attempt in (try? FileManager.default.contentsOfDirectory(atPath: root + "/attempts")) ?? [] { _ = try? run(["cancel", attempt]) }
  }

  var program: String { scratch + "/blockfarm-worker" }

  /// A process of the worker, as the ordinary user. The caller waits for it.
  func process(_ arguments: [String], environment: [String: String] = [:]) -> Process {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    let account = getuid() == 0 && !isRoot ? ["setpriv", "--reuid=\(Self.nobody)", "--regid=\(Self.nobody)", "--clear-groups"] : []
    process.arguments =
      account + [program] + arguments
      + (arguments.contains("--root") || environment["SSH_ORIGINAL_COMMAND"] != nil && arguments.isEmpty ? [] : ["--root", root])
    process.environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": scratch]
      .merging(variables) { $1 }.merging(environment) { $1 }
    process.currentDirectoryURL = URL(filePath: "/")
    return process
  }

  struct Answer {
    var status: Int32
    /// The lines after the marker.
    var lines: [String]
    var errors: String
  }

  /// Runs one verb to its end.
  func run(_ arguments: [String], input: Data = Data(), environment: [String: String] = [:]) throws -> Answer {
    let process = process(arguments, environment: environment)
    let files = try ["in", "out", "err"].map { name in
      let path = "\(scratch)/\(name)-\(UUID().uuidString)"
      _ = FileManager.default.createFile(atPath: path, contents: name == "in" ? input : nil)
      return (path, try #require(FileHandle(forUpdatingAtPath: path)))
    }
    defer { for (path, _) in files { try? FileManager.default.removeItem(atPath: path) } }
    (process.standardInput, process.standardOutput, process.standardError) = (files[0].1, files[1].1, files[2].1)
    try process.run()
    process.waitUntilExit()
    var lines = try String(contentsOfFile: files[1].0, encoding: .utf8).split(separator: "\n").map(String.init)
    if lines.first == WorkerProtocol.marker { lines.removeFirst() }
    return Answer(status: process.terminationStatus, lines: lines, errors: try String(contentsOfFile: files[2].0, encoding: .utf8))
  }

  /// Runs a verb that answers with one JSON line.
  func ask<Value: Decodable>(_ type: Value.Type, _ arguments: [String], input: Data = Data()) throws -> Value {
    let answer = try run(arguments, input: input)
    try #require(answer.status == 0 && answer.lines.count == 1, "\(arguments): status \(answer.status): \(answer.errors)")
    return try WorkerProtocol.decode(type, from: answer.lines[0].utf8)
  }

  // MARK: Attempts

  func start(_ spec: TaskSpec, secrets: [String: String]? = nil) throws -> StartAnswer {
    var input = Data(try WorkerProtocol.encode(spec)) + Data("\n".utf8)
    if let secrets { input += Data(try WorkerProtocol.encode(secrets)) + Data("\n".utf8) }
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
    return try answer.lines.map { try WorkerProtocol.decode(AttachLine.self, from: $0.utf8) }
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
    let process = process(["attach", attempt.description])
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    defer {
      kill(process.processIdentifier, SIGKILL)
      ended.wait()
    }
    var rest = Data()
    while true {
      let piece = output.fileHandleForReading.availableData
      try #require(!piece.isEmpty, "attach ended before the line that was waited for")
      rest += piece
      while let newline = rest.firstIndex(of: 10) {
        let line = rest[rest.startIndex..<newline]
        rest = rest[(newline + 1)...]
        if let parsed = try? WorkerProtocol.decode(AttachLine.self, from: line), condition(parsed) { return }
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
