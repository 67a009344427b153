import BlobStore
import BuildModel

/// Where the bytes below a worker's root are that a collection leaves.
package struct DiskUsage {
  private let root: String

  package init(root: String) { self.root = root }

  /// Each kind that uses anything, the largest first. Looks at every file, which takes a while where shared state is large.
  package func measure() -> [DiskUse] {
    var uses = attempts()
    let busy = Set(uses.busyTrees)
    let trees = (FileReader.names(in: root + "/work") ?? []).filter { Int($0) != nil }.map { "\(root)/work/\($0)" }.filter { !busy.contains($0) }
    uses.add(.checkouts, bytes: trees.reduce(0) { $0.addingSaturated(DirectorySize.bytes(of: $1)) })
    uses.add(.downloads, bytes: DirectorySize.bytes(of: root + "/cache/downloads"))
    uses.add(.sharedState, bytes: DirectorySize.bytes(of: root + "/cache/sstate"))
    uses.add(.sources, bytes: DirectorySize.bytes(of: root + "/sources").addingSaturated(DirectorySize.bytes(of: root + "/cache/parse")))
    return uses.list.sorted { $0.bytes > $1.bytes }
  }

  private struct Uses {
    var list: [DiskUse] = []
    /// Work trees that are counted with an attempt.
    var busyTrees: [String] = []

    mutating func add(_ kind: DiskUse.Kind, attempts: Int = 0, bytes: Int64) {
      if bytes > 0 || attempts > 0 { list.append(DiskUse(kind: kind, attempts: attempts, bytes: bytes)) }
    }
  }

  private func attempts() -> Uses {
    var uses = Uses()
    var sums: [DiskUse.Kind: (count: Int, bytes: Int64)] = [:]
    for directory in AttemptDirectory.all(root: root) where !directory.isAcknowledged {
      // An attempt that cannot be read counts as one whose outcome is wanted: nothing removes it.
      let status = try? directory.settle()
      var bytes = directory.directories.reduce(Int64(0)) { $0.addingSaturated(DirectorySize.bytes(of: $1)) }
      let kind: DiskUse.Kind
      switch status {
      case .running?: kind = .running
      case .ended(let outcome)?:
        kind = .unacknowledged
        bytes = outcome.blobs.reduce(bytes) { $0.addingSaturated(max(0, $1.size)) }
      case .unknown?, nil: kind = .unacknowledged
      }
      uses.busyTrees += directory.directories.dropFirst()
      let known = sums[kind] ?? (0, 0)
      sums[kind] = (known.count + 1, known.bytes.addingSaturated(bytes))
    }
    for (kind, sum) in sums { uses.add(kind, attempts: sum.count, bytes: sum.bytes) }
    return uses
  }
}
