import ArgumentParser
import Attempt
import BuildModel
import FoundationEssentials

/// Frees disk. The worker does it by itself as well: after each attempt, and before one when space is short.
struct CollectGarbage: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Remove old work trees, old attempts, and blobs that no outcome needs any more.",
    discussion: "An outcome that its coordinator has not acknowledged stays with its blobs, unless --unacknowledged-days is given.")
  @Option(help: "Work trees of attempts that ended more days ago are removed.") var treeDays: Double = 2
  @Option(help: "Acknowledged attempts that ended more days ago are removed, with their logs.") var attemptDays: Double = 30
  @Option(help: "Blobs that no kept outcome needs are removed when they are older.") var blobDays: Double = 2
  @Option(help: "Attempts that nobody acknowledged are removed when they ended more days ago (default: never).") var unacknowledgedDays: Double?
  @Option(help: "Instead of by age: remove from what is missed least to what is missed most until so many bytes are free.") var room: Int64?
  @Flag(help: "Remove nothing: list what uses the disk.") var usage = false
  @OptionGroup var location: RootOption

  private struct Answer: Encodable { var freedBytes: Int64 }

  func run() throws {
    try StandardOutput.begin()
    guard treeDays >= 0, attemptDays >= treeDays, blobDays >= 0, unacknowledgedDays ?? treeDays >= treeDays else {
      throw WorkerExit.usage("days must not be negative, and --attempt-days and --unacknowledged-days not below --tree-days")
    }
    if usage { return try StandardOutput.line(DiskUsage(root: try location.resolve()).measure()) }
    if let room {
      let root = try location.resolve()
      // What the disk cannot have is not worth the caches.
      let isPossible = GarbageCollection.totalBytes(root) >= room
      return try StandardOutput.line(Answer(freedBytes: isPossible ? GarbageCollection(root: root).makeRoom(for: room) : 0))
    }
    var ages = GarbageCollection.Ages()
    (ages.tree, ages.attempt, ages.blob, ages.unacknowledged) = (treeDays, attemptDays, blobDays, unacknowledgedDays)
    guard let freed = try GarbageCollection(root: try location.resolve()).collect(ages, waiting: 60) else {
      throw WorkerExit(status: 1, message: "another gc has been running on this host for more than a minute")
    }
    try StandardOutput.line(Answer(freedBytes: freed))
  }
}
