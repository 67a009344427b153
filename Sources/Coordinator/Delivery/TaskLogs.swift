import BuildModel
import Executors
import FoundationEssentials
import Reports

extension DeliveryPipeline {
  /// What is taken of a worker's logs of failed tasks: a hostile one may list anything.
  private static let (logLimit, logBytes) = (8, Int64(8 << 20))

  /// Fetches the own logs of tasks that failed and lays them out beside the attempt's console log. A log that does not come changes no failure.
  package func taskLogs(of outcome: Outcome, attempt: AttemptID, client: WorkerClient) async -> [DeviceTypeReport.File] {
    let wanted = outcome.artifacts.filter { $0.role == .log && (0...Self.logBytes).contains($0.size) }.prefix(Self.logLimit)
    var files: [DeviceTypeReport.File] = []
    for log in wanted {
      guard let path = RelativePath("logs/attempt-\(attempt.number).\(log.path.lastComponent)") else { continue }
      do {
        _ = try await client.fetchBlobs([log.blob], into: context.blobs)
        try tree.place(log.digest, from: context.blobs, at: path, of: attempt.slug)
        files.append(.init(path: path, digest: log.digest, size: log.size))
      } catch {
        report(.notice(attempt.slug, "\(log.path.lastComponent) could not be fetched: \(error)"))
      }
    }
    return files
  }
}
