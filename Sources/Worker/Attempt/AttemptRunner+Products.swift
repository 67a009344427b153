import BuildModel
import FoundationEssentials
import Glibc
import Processes
import Yocto

extension AttemptRunner {
  /// Hostapp and target image come from one bitbake run: its time is counted for the hostapp, and a notice says so.
  func buildSystem(_ system: SystemSpec) throws {
    let items = try itemsOfLayout(system)
    let collector = try step(.hostapp) {
      try self.notice("hostapp and image come from one bitbake run; its time is listed for hostapp")
      let fresh = try FreshnessMark(in: self.directory.treePath)
      let targets = system.image.map(\.text).joined(separator: " ")
      try self.bitbake(.targets(system.image), step: .hostapp, what: "bitbake \(targets)")
      let tree = try BuildTree(path: self.directory.treePath)
      let collector = ArtifactCollector(
        tree: tree, machine: self.spec.machine, store: self.store, epoch: self.spec.sourceDateEpoch, fresh: fresh)
      for item in items where item.path.text == "balena-image.docker" { _ = try collector.locate(item) }
      return collector
    }
    try step(.image) {
      for item in items where item.role == .diskImage { _ = try collector.locate(item) }
    }
    try step(.artifacts) {
      for (index, item) in items.enumerated() {
        try self.checkpoint(.artifacts)
        if let artifact = try collector.collect(item) { self.artifacts.append(artifact) }
        try self.journal.append(.progress(step: .artifacts, done: index + 1, total: items.count), durable: false)
      }
    }
  }

  private func itemsOfLayout(_ system: SystemSpec) throws -> [ArtifactLayout.Item] {
    try ArtifactLayout.items(slug: spec.slug, machine: spec.machine, manifestFile: spec.manifestFile, system: system)
  }
}
