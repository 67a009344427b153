import Reports

/// What became of a device type, and the same as the database keeps it. With a real feed that is 350 kB, so it is encoded beside the request's loop.
struct EndedDeviceType: Sendable {
  var report: DeviceTypeReport
  var record: [UInt8]

  init(_ report: DeviceTypeReport) throws {
    self.report = report
    record = try report.record()
  }
}
