import BuildModel
import CanonicalJSON
import Planning
import Reports
import Store

extension Farm {
  /// The device types of a plan that end before anything is started, as records: `status` and `explain` show what index.json shows.
  static func ended(_ plan: Plan, in request: RequestID) throws -> [TaskRecord] {
    try plan.endedReports.map { report in
      TaskRecord(
        request: request, slug: report.slug, machine: report.machine, arch: report.arch, state: .ended, planned: [],
        record: try CanonicalJSON.encode(report))
    }
  }
}

extension Plan {
  /// What becomes of the device types that cannot be planned, or are left out with a reason.
  var endedReports: [DeviceTypeReport] {
    failed.map {
      DeviceTypeReport(
        slug: $0.slug, machine: $0.machine, arch: $0.arch, version: $0.osVersion, outcome: .failed, reason: $0.reason, failure: .rejected,
        blame: $0.blame)
    }
      + skipped.map {
        DeviceTypeReport(slug: $0.slug, machine: $0.machine, arch: $0.arch, version: $0.osVersion, outcome: .skipped, reason: $0.reason)
      }
  }
}
