import BuildModel
import Foundation
import TestFiles
import TestPeers
import Testing

@testable import Planning

/// The sample repositories of `deploy/sample`, made as the quickstart makes them, planned as `blockfarm plan` does it.
@Suite struct SampleRepositoriesTests {
  static let names = ["balena-acme-arm", "balena-acme-x86", "balena-acme-legacy", "balena-acme-modern"]

  static func make(in scratch: String) throws -> [DeviceRepository] {
    try Tool.run(Project.path + "/deploy/sample/make-repositories", scratch + "/origin")
    return try names.map { name in
      _ = try GitCommand.run(
        ["-c", "protocol.file.allow=always", "clone", "--quiet", "--recurse-submodules", "\(scratch)/origin/\(name)", name], in: scratch,
        repository: name)
      return try RepositoryReader.read(
        RepositorySource(name: name, path: scratch + "/" + name, driver: .barys, contracts: ["contracts"]))
    }
  }

  @Test func plansTheQuickstart() throws {
    try withScratchDirectory { scratch in
      let repositories = try Self.make(in: scratch)
      #expect(repositories.map(\.version.text) == ["6.1.24+rev3", "6.1.24+rev1", "2.98.12", "8.0.2+rev1"] && repositories.allSatisfy(\.isRelease))
      #expect(repositories.allSatisfy { $0.checkout.submodules.map(\.path.text) == ["balena-yocto-scripts"] })
      #expect(Set(repositories.map { $0.checkout.submodules[0].tree.mirror }).count == 1, "one submodule of all is sent once")

      let request = PlanRequest(machines: [], all: true, architectures: [], repositories: ["balena-acme-arm", "balena-acme-x86"], blocks: .all)
      let plan = try Planner.plan(request, repositories: repositories)
      let blocks = Dictionary(uniqueKeysWithValues: plan.tasks.map { ($0.slug.text, $0.blocks.map(\.name.text)) })
      let common = ["acme-diagnostics", "acme-wireless"]
      #expect(
        blocks == [
          "acme-board64": ["acme-diagnostics", "acme-gpu", "acme-wireless"], "acme-edge64": common, "acme-board7": common, "acme-module": common,
          "acme-module-sb": common, "acme-pc": ["acme-diagnostics", "acme-gpu", "acme-wireless"], "acme-panel": common,
        ])
      #expect(plan.skipped.map { "\($0.slug) \($0.reason)" } == ["acme-retired is discontinued"])
      let sibling = try #require(plan.tasks.first { $0.slug.text == "acme-module-sb" })
      #expect(sibling.deviceType.yocto.machine.text == "acme-module" && sibling.deviceType.state == .absent)
      #expect(plan.tasks.first { $0.slug.text == "acme-panel" }?.deviceType.isFlasher == true)
      #expect(plan.tasks.first { $0.slug.text == "acme-pc" }?.deviceType.file == "acme-x86")
      #expect(plan.tasks.allSatisfy { $0.isRelease && !$0.recipes.isEmpty && $0.system != nil })
    }
  }

  @Test func theOldOneGetsOnlyWhatFits() throws {
    try withScratchDirectory { scratch in
      let repositories = try Self.make(in: scratch)
      let request = PlanRequest(machines: ["acme-classic"], all: false, architectures: [], repositories: [], blocks: .all)
      let task = try #require(try Planner.plan(request, repositories: repositories).tasks.first)
      #expect(task.deviceType.arch == .i386 && task.blocks.map(\.name.text) == ["acme-diagnostics"])
      #expect(task.notices.count == 2 && task.notices.allSatisfy { $0.contains("is left out: needs") })
    }
  }

  @Test func theModernOneHasAComposition() throws {
    try withScratchDirectory { scratch in
      let repositories = try Self.make(in: scratch)
      let request = PlanRequest(machines: ["acme-kit", "acme-board7"], all: false, architectures: [], repositories: [], blocks: .all)
      let tasks = try Planner.plan(request, repositories: repositories).tasks
      #expect(tasks[0].composition?.services.map(\.name.text) == ["hostapp"], "meta-balena's file alone")
      #expect(tasks[0].blocks.map(\.name.text) == ["acme-diagnostics", "acme-wireless"])
      #expect(tasks[1].blocks.map(\.name.text) == ["acme-diagnostics", "acme-journal", "acme-tracing"])
      #expect(tasks[1].blocks[1].origin == .registry(reference: "localhost:5000/acme/journal:1.2.0"))
      #expect(
        tasks[1].blocks[2].origin
          == .recipe(
            try RecipeName("acme-tracing-extension"), arguments: ["-a", "ACME_TRACING=full"],
            assets: ["images/acme-kit/acme-tracing-extension-acme-kit.manifest"]))
      #expect(!tasks[1].recipes.contains { $0.text == "acme-tracing-extension" })
    }
  }
}
