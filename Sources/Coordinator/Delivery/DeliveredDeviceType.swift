import BuildModel
import Reports

/// What a device type's directory holds, and how it came to be.
package struct DeliveredDeviceType: Sendable {
  /// In the plan's order, whether they were made or fetched.
  package var blocks: [BlockResult]
  package var steps: [StepResult]
  package var files: PlacedFiles
  package var notices: [String]
  /// nil where nothing was to be published.
  package var releases: [DeviceTypeReport.Release]?
}
