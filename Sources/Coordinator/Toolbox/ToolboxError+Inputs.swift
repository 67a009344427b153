import BuildModel
import FoundationEssentials

extension ToolboxError {
  /// What went wrong in a command that works on files that a person named: theirs to mend, or the machine's, as the room that it happened in says.
  init(_ error: any Error) {
    switch error {
    case let error as ToolboxError: self = error
    case is CancellationError: self = .cancelled
    case let error as any BlamedError:
      switch error.blame {
      case .request, .repository: self = .usage(error.description)
      case .host, .coordinator, .cloud: self = .farm(error.description)
      }
    case let error as CocoaError: self = .farm("\(error.filePath ?? "a file") cannot be read or written")
    default: self = .farm("\(error)")
    }
  }

  /// Refuses an output that is no file, before anything is done.
  static func checkOutput(file path: String) throws(ToolboxError) {
    if let reason = OutputPath.reasonNotFile(path) { throw .usage("\(path) \(reason)") }
  }

  /// Refuses an output that is no directory, before anything is done.
  static func checkOutput(directory path: String) throws(ToolboxError) {
    if let reason = OutputPath.reasonNotDirectory(path) { throw .usage("\(path) \(reason)") }
  }
}
