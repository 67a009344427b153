import BuildModel
import FoundationEssentials
import Processes

/// Decides whether a run of the wrapper built what it should. Its exit status alone proves nothing: the container wrapper ends 0 after a failure.
package enum BuildVerdict {
  /// nil when the run is a success: exit 0, what `proof` demands, no failure line, no failed task, nothing unprovided.
  ///
  /// - Parameters:
  ///   - what: what the run was for, for example `bitbake acme-firmware os-release`.
  ///   - log: where the whole console is, for people.
  ///   - wasOutOfMemory: whether the kernel ended a process for memory during the run.
  package static func judge(
    _ end: ChildEnd, console: BitbakeConsole, proof: SuccessProof, machine: Machine, step: Step, what: String, log: String,
    wasOutOfMemory: Bool
  ) -> Failure? {
    let looksFailed = !console.failedTasks.isEmpty || !console.unprovided.isEmpty || !console.failed.isEmpty
    let isProved =
      switch proof {
      case .barys: console.succeeded.contains(machine.text)
      case .status(let line): line == nil || console.saidSuccess
      }
    if end == .exited(0), !looksFailed, isProved { return nil }
    let isLie = end == .exited(0) && looksFailed
    let suffix = isLie ? " (the build wrapper nevertheless ended with status 0)" : ""
    func failure(_ kind: Failure.Kind, _ reason: String, _ details: [String]) -> Failure {
      Failure(kind: kind, step: step, reason: reason + suffix, details: Array(details.suffix(47)) + ["console log: \(log)"])
    }

    if let trouble = console.hostTrouble, end != .exited(0) || looksFailed {
      return failure(.infrastructure, "\(what): the host ran out of disk or memory: \(trouble)", console.lastLines)
    }
    if wasOutOfMemory || end == .signalled(9) {
      return failure(.infrastructure, "\(what): the kernel ended a process for memory", console.errors + console.lastLines)
    }
    if let task = console.failedTasks.first {
      let others = console.failedTasks.count > 1 ? " and \(console.failedTasks.count - 1) more" : ""
      // Sources come from elsewhere: another host, or the same later, may get them.
      let kind: Failure.Kind = task.task.hasPrefix("do_fetch") ? .infrastructure : .build
      let log = task.logfile.map { ["task log: \($0)"] } ?? []
      return failure(kind, "recipe \(task.recipe) failed in \(task.task)\(others)", task.log + log)
    }
    if let target = console.unprovided.first {
      return failure(.build, "nothing provides '\(target)' in this device repository", console.errors)
    }
    switch end {
    case .exited(0) where console.failed.contains(machine.text):
      return failure(.build, "\(what): the build for \(machine) failed", console.errors + console.lastLines)
    case .exited(0) where proof != .barys:
      return failure(.build, "\(what): the build command ended with status 0 but did not print its success line", console.lastLines)
    case .exited(0):
      let said = console.succeeded.isEmpty ? "no machine" : console.succeeded.joined(separator: ", ")
      return failure(
        .build, "\(what): the build wrapper ended with status 0 but reported success for \(said), not for \(machine)", console.lastLines)
    case .exited(let status):
      let error = console.errors.last.map { ": \($0)" } ?? ""
      return failure(.build, "\(what) ended with status \(status)\(error)", console.errors + console.lastLines)
    case .signalled(let signal):
      return failure(.infrastructure, "\(what) was ended by signal \(signal)", console.lastLines)
    case .silent: return failure(.timedOut, "\(what) wrote nothing for too long", console.lastLines)
    case .overdue: return failure(.timedOut, "\(what) passed the attempt's time limit", console.lastLines)
    case .cancelled: return failure(.cancelled, "cancelled during \(what)", [])
    }
  }
}
