import FoundationEssentials

/// How a worker verb's process ended.
package struct ProcessExit: Hashable, Sendable {
  /// nil when a signal ended it.
  package let status: Int32?
  /// Without `SIG`, for example `KILL`; nil when it exited by itself.
  package let signal: String?
  /// The last 8 KiB of its standard error, control characters replaced.
  package let standardError: String

  package init(status: Int32?, signal: String?, standardError: String) {
    self.status = status
    self.signal = signal
    self.standardError = standardError
  }

  package var isSuccess: Bool { status == 0 && signal == nil }

  /// A part of a sentence: `ended with status 3`.
  package var reason: String {
    if let signal { return "was ended by signal \(signal)" }
    return "ended with status \(status.map { String($0) } ?? "unknown")"
  }
}
