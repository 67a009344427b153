import BlobStore
import BuildModel
import FoundationEssentials
import Yocto

extension AttemptRunner {
  /// Failed tasks whose logs are kept.
  private static let taskLogLimit = 5

  /// Takes the own logs of failed tasks into the outcome, and shows those that bitbake did not print to the console's reader. That one cannot be had
  /// is a notice: the failure itself matters more.
  func keepLogs(of console: inout BitbakeConsole) {
    let failed = console.failedTasks.indices.filter { console.failedTasks[$0].hasFailed }.prefix(Self.taskLogLimit)
    guard !failed.isEmpty, let tree = try? BuildTree(path: directory.treePath) else { return }
    for index in failed {
      let task = console.failedTasks[index]
      guard let file = TaskLogFile(of: task, in: tree), let path = RelativePath("logs/\(file.name)") else { continue }
      do {
        let text = try text(of: file)
        if task.needsLog { console.readLog(text.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }, ofTaskAt: index) }
        let blob = try store.put(text)
        artifacts.removeAll { $0.path == path }
        artifacts.append(Artifact(path: path, digest: blob.digest, size: blob.size, role: .log))
      } catch {
        try? notice("the log of \(task.recipe) \(task.task) could not be kept: \(error)")
      }
    }
  }

  /// A log's end as people may have it: whole lines, without secrets, with a mark where its beginning is left out.
  private func text(of file: TaskLogFile) throws -> [UInt8] {
    let newline = UInt8(ascii: "\n")
    var (bytes, left) = try file.end()
    if left > 0, let first = bytes.firstIndex(of: newline) {
      left += Int64(first) + 1
      bytes.removeFirst(first + 1)
    }
    let lines = bytes.split(separator: newline, omittingEmptySubsequences: false).map { console.redact(Array($0)) }
    let mark = left > 0 ? Array("[blockfarm] the first \(Counted(left, "byte")) of this log are left out\n".utf8) : []
    return mark + Array(lines.joined(separator: [newline]))
  }
}
