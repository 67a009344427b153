import BoundedConcurrency
import Feed

/// Writes the indexes of a feed directory, without a farm.
package struct FeedIndexing: Sendable {
  package var root: String

  package init(root: String) { self.root = root }

  /// Of each architecture directory, how many packages it has.
  package func run() async throws(ToolboxError) -> [FeedIndexer.Summary] {
    do {
      return try await BlockingWork.run {
        _ = try FeedDirectory(root, architectures: nil)
        return try FeedIndexer(root: root).run()
      }
    } catch {
      throw .usage("\(error)")
    }
  }
}
