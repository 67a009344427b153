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
