import FoundationEssentials

/// The processors that this process may use.
package enum Processors {
  /// At least one.
  package static let available = max(1, ProcessInfo.processInfo.activeProcessorCount)
}
