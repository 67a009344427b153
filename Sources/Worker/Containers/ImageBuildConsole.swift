import BuildModel
import Processes

/// Reads what buildah and docker write, for the one sentence that says why a build failed.
package struct ImageBuildConsole: Sendable {
  /// The last lines, at most 20.
  private var lastLines: [String] = []
  /// The last line that begins as an error of the tool.
  private var error: String?
  private var couldNotRun = false
  private var hostTrouble: String?

  package init() {}

  package mutating func read(_ line: String) {
    if lastLines.count == 20 { lastLines.removeFirst() }
    lastLines.append(String(line.prefix(1000)))
    let lower = line.lowercased()
    if lower.hasPrefix("error") { error = String(line.prefix(500)) }
    if lower.contains("exec format error") { couldNotRun = true }
    // A base image that does not come: buildah's words, then BuildKit's. Disk and memory besides.
    let signs = [
      "error: creating build container", "failed to resolve source metadata", "failed to load metadata", "no space left on device",
      "disk quota exceeded",
      "cannot allocate memory",
    ]
    if hostTrouble == nil, signs.contains(where: { lower.contains($0) }) { hostTrouble = String(line.prefix(500)) }
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
      return failure(.build, "\(tool) ended with status \(status)\(error.map { ": \($0)" } ?? "")")
    }
  }
}
