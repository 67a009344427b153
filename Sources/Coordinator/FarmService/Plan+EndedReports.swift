import Planning
import Reports

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
