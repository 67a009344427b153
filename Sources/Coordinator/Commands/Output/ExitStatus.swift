import BuildModel
import FarmService
import Toolbox

/// The program's exit status. This is the only place that chooses one for an error or the end of a request.
struct ExitStatus: Hashable {
  let value: Int32

  static let good = ExitStatus(value: 0)
  /// A device type failed.
  static let failed = ExitStatus(value: 1)
  /// Usage, configuration, or input that cannot be used; nothing was started.
  static let usage = ExitStatus(value: 2)
  /// The farm could not do it.
  static let farm = ExitStatus(value: 3)
  static let cancelled = ExitStatus(value: 130)

  private init(value: Int32) { self.value = value }

  init(_ end: Farm.BuildResult.End) {
    switch end {
    case .allGood: self = .good
    case .someFailed: self = .failed
    case .farmCouldNot: self = .farm
    case .cancelled: self = .cancelled
    }
  }

  /// By whose fault the error is. What nobody has thought of is the program's own fault, so the farm's.
  init(_ error: any Error) {
    switch error {
    case is CancellationError, ToolboxError.cancelled: self = .cancelled
    case let error as any BlamedError:
      switch error.blame {
      case .request, .repository: self = .usage
      case .host, .coordinator, .cloud: self = .farm
      }
    default: self = .farm
    }
  }
}
