import ArgumentParser
import Attempt
import BuildModel
import FoundationEssentials

/// Lets go of an outcome.
struct Acknowledge: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Note that an attempt's outcome and its blobs were fetched; its work tree is removed, and gc may take the rest.")
  @Argument var attempt: AttemptID
  @Flag(help: "Leave the work tree for a person to look at.") var keepTree = false
  @OptionGroup var location: RootOption

  func run() throws {
    try StandardOutput.begin()
    let directory = AttemptDirectory(root: try location.resolve(), id: attempt)
    guard case .ended = try directory.settle() else {
      throw directory.isKnown ? WorkerExit(status: 1, message: "attempt \(attempt) is still running") : WorkerExit.unknown(attempt)
    }
    try directory.acknowledge(keepsWork: keepTree)
    try StandardOutput.line(AcknowledgeAnswer(attempt: attempt))
  }
}
