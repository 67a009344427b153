import BuildModel
import Delivery
import Planning
import Reports
import Scheduling
import Store

/// A device type on its way.
struct DeviceTypeProgress {
  var task: PlannedTask
  var parts = DeviceTypeParts()
  var queuedAt: Timestamp
  var attempts: [AttemptRecord] = []
  var avoid: Set<HostName> = []
  var expectedSeconds: Double?
  /// Free disk that a host must have; nil until it was asked for.
  var disk: ByteCount?
  var steps: [StepResult] = []
  /// What the last attempt ran under.
  var isolation: Isolation?
  /// The own logs of tasks that failed, of all attempts.
  var taskLogs: [DeviceTypeReport.File] = []
  var notices: [String] = []
  var lastWaiting: [HostReason] = []
  /// What it was reported to wait for: each thing is reported once.
  var announced: Set<[String]> = []
  /// Hosts on which something could not be fetched. Whose fault that is shows when another host tries.
  var fetchFailures: [HostName: Failure] = [:]
  /// When the coordinator began to deliver it; nil before.
  var deliveryBegan: Timestamp?

  // MARK: Its end

  /// `failure` is what kept it from being published.
  func report(_ delivered: DeliveredDeviceType, failure: Failure?) -> DeviceTypeReport {
    let outcome: DeviceTypeReport.Result =
      if let failure { failure.kind == .cancelled ? .cancelled : .failed } else { attempts.isEmpty ? .reused : .built }
    return DeviceTypeReport(
      slug: task.slug, machine: task.deviceType.yocto.machine, arch: task.deviceType.arch, version: task.osVersion, outcome: outcome,
      reason: failure?.reason, failure: failure?.kind, blame: failure?.blame, details: failure?.details ?? [],
      log: attempts.last.flatMap { RelativePath("logs/attempt-\($0.id.number).log") },
      taskLogs: taskLogs.isEmpty ? nil : taskLogs, host: attempts.last?.host ?? parts.system?.host ?? parts.blocks?.host,
      attempts: attempts.count,
      steps: steps + delivered.steps, blocks: delivered.blocks.map(DeviceTypeReport.Block.init),
      artifacts: delivered.files.artifacts, images: delivered.files.images, releases: delivered.releases,
      notices: notices + delivered.notices)
  }

  /// Why its last attempt before failed; nil where none did. A wish to cancel takes nothing of that away.
  private var earlierFailure: (attempt: Int, failure: Failure)? {
    attempts.last { $0.outcome?.failure.map { $0.kind != .cancelled } ?? false }.flatMap { attempt in
      attempt.outcome?.failure.map { (attempt.id.number, $0) }
    }
  }

  /// Nothing of it was delivered.
  func failed(_ failure: Failure) -> DeviceTypeReport {
    var (steps, failure) = (steps, failure)
    if failure.kind == .cancelled, let earlier = earlierFailure {
      failure.reason += "; attempt \(earlier.attempt) had failed: \(earlier.failure.reason)"
      if failure.details.isEmpty { failure.details = earlier.failure.details }
    }
    // The worker lists its own failed step; what fails on the coordinator is listed here.
    if let step = failure.step, steps.last(where: { $0.name == step })?.outcome != .failed {
      steps.append(StepResult(name: step, outcome: .failed, seconds: 0))
    }
    return DeviceTypeReport(
      slug: task.slug, machine: task.deviceType.yocto.machine, arch: task.deviceType.arch, version: task.osVersion,
      outcome: failure.kind == .cancelled ? .cancelled : .failed, reason: failure.reason, failure: failure.kind, blame: failure.blame,
      details: failure.details,
      log: attempts.last.flatMap { RelativePath("logs/attempt-\($0.id.number).log") }, taskLogs: taskLogs,
      host: attempts.last?.host, attempts: attempts.count, steps: steps, notices: notices)
  }

  /// The report with what is known of every device type that was worked on: what it was built from, and when.
  func dated(_ report: DeviceTypeReport) -> DeviceTypeReport {
    var report = report
    report.commit = task.source.root.commit
    report.submodules = task.source.submodules.map { .init(path: $0.path, commit: $0.tree.commit) }
    report.isRelease = task.isRelease
    report.isolation = .weakest([isolation, parts.system?.isolation, parts.blocks?.isolation].compactMap { $0 })
    report.startedAt = attempts.first?.startedAt ?? deliveryBegan
    report.endedAt = .now
    return report
  }
}
