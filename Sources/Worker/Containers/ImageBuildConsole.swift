import BuildModel
import Processes

/// Reads what buildah and docker write, for the one sentence that says why a build failed.
package struct ImageBuildConsole: Sendable {
  /// The last lines, at most 20.
  private var lastLines: [String] = []
  /// The last line that begins as an error of the tool, and what the step's program said last before the first one.
  private var error: String?
  private var said: String?
  private var couldNotRun = false
  /// A line that says that the host ran out of something, and one that says that something could not be fetched.
  private var hostTrouble: String?
  private var fetchTrouble: String?

  private static let hostSigns = ["no space left on device", "disk quota exceeded", "cannot allocate memory", "read-only file system"]
  private static let fetchSigns = [
    // A base image that does not come: buildah's words, then BuildKit's.
    "error: creating build container", "failed to resolve source metadata", "failed to load metadata", "toomanyrequests",
    // What the steps' programs say: apt, apk, curl and git, Go's resolver, npm.
    "temporary failure resolving", "temporary error (try again later)", "could not resolve host", "no such host", "name resolution", "eai_again",
    "connection timed out", "connection refused", "tls handshake timeout", "i/o timeout", "network is unreachable",
  ]

  package init() {}

  package mutating func read(_ line: String) {
    if lastLines.count == 20 { lastLines.removeFirst() }
    lastLines.append(String(line.prefix(1000)))
    let lower = line.lowercased()
    if lower.hasPrefix("error") {
      if error == nil { said = lastLines.dropLast().last { !$0.isEmpty && !Self.isOfTool($0) } }
      error = String(line.prefix(500))
    }
    if lower.contains("exec format error") { couldNotRun = true }
    if hostTrouble == nil, Self.hostSigns.contains(where: lower.contains) { hostTrouble = String(line.prefix(500)) }
    if fetchTrouble == nil, Self.fetchSigns.contains(where: lower.contains) { fetchTrouble = String(line.prefix(500)) }
  }

  /// Lines in which buildah and docker tell about themselves.
  private static func isOfTool(_ line: String) -> Bool {
    [
      "STEP ", "Step ", "--> ", "---> ", " ---> ", "#", "------", "COMMIT", "Trying to pull", "Sending build context", "subprocess exited with",
    ].contains(where: line.hasPrefix)
  }

  /// nil when the call ended with status 0.
  package func failure(
    _ end: ChildEnd, block: BlockName, tool: String, platform: Platform, log: String, wasOutOfMemory: Bool
  ) -> Failure? {
    func failure(_ kind: Failure.Kind, _ reason: String) -> Failure {
      Failure(kind: kind, step: .blocks, reason: "block \(block): \(reason)", details: lastLines + ["console log: \(log)"])
    }
    switch end {
    case .exited(0): return nil
    case .cancelled: return Failure(kind: .cancelled, step: .blocks, reason: "cancelled during \(tool) of block \(block)")
    case .silent: return failure(.timedOut, "\(tool) wrote nothing for too long")
    case .overdue: return failure(.timedOut, "\(tool) passed the attempt's time limit")
    case .signalled(let signal): return failure(.infrastructure, "\(tool) was ended by signal \(signal)")
    case .exited where wasOutOfMemory: return failure(.infrastructure, "the kernel ended a process of \(tool) for memory")
    case .exited where couldNotRun:
      return failure(
        .infrastructure,
        "a step of the Dockerfile runs a program that this host cannot (the image is for \(platform)); install qemu-user-static there")
    case .exited(let status):
      if let hostTrouble { return failure(.infrastructure, "\(tool): \(hostTrouble)") }
      if let fetchTrouble { return failure(.fetch, "\(tool): \(fetchTrouble)") }
      let cause = [said, error].compactMap { $0 }.joined(separator: " (")
      return failure(.build, "\(tool) ended with status \(status)\(cause.isEmpty ? "" : ": \(cause)\(said == nil ? "" : ")")")")
    }
  }
}
