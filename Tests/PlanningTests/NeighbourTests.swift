import BuildModel
import Foundation
import TestFiles
import TestGolden
import Testing

@testable import Planning

/// What cannot be read costs what depends on it, and nothing else.
@Suite struct NeighbourTests {
  private func plan(
    _ machines: [String] = [], blocks: String? = nil, skip: [String] = [], from readings: [RepositoryReading]
  ) throws -> Plan {
    var request = PlanRequest(machines: machines, all: machines.isEmpty, architectures: [], repositories: [], blocks: .init(blocks))
    request.skipped = skip
    return try Planner.draft(request, readings: readings).plan(with: PlanFacts())
  }

  /// Two boards in a checkout, with further files.
  private func boards(_ files: [String: String], in scratch: String, read: (TemporaryRepository) throws -> Void) throws {
    let repository = try TemporaryRepository("boards", in: scratch)
    for board in ["good", "other"] { try repository.write(board + ".coffee", TemporaryRepository.manifest(slug: board)) }
    for (name, text) in files { try repository.write(name, text) }
    try repository.commit()
    try repository.git("tag", "v1.0.0")
    try read(repository)
  }

  private func slugs(_ plan: Plan) -> [String] { plan.tasks.map(\.slug.text) }

  @Test func aBrokenManifestCostsItsDeviceType() throws {
    try withScratchDirectory { scratch in
      try boards(["other.coffee": "module.exports =\n\tslug: 'other\n"], in: scratch) { repository in
        let reading = RepositoryReading.usable(try repository.read())
        let error = "\(repository.path)/other.coffee:2: a text has no closing '"
        let all = try plan(from: [reading])
        #expect(slugs(all) == ["good"] && all.complaints == [error])
        let named = try plan(["good"], from: [reading])
        #expect(slugs(named) == ["good"] && named.complaints.isEmpty && named.notices == [error + " (not part of the request)"])
        #expect(try plan(["good", "other"], from: [reading]).complaints == [error])
        #expect(try plan(skip: ["other"], from: [reading]).complaints.isEmpty)
        let only = #expect(throws: PlanningError.self) { try plan(["other"], from: [reading]) }
        #expect(only == .nothingLeft([error]))
        let unknown = #expect(throws: PlanningError.self) { try plan(["good", "othr"], from: [reading]) }
        #expect(unknown?.description == "unknown device type 'othr'; known: good\n" + error)
      }
    }
  }

  @Test func aBrokenCompositionCostsItsMachine() throws {
    try withScratchDirectory { scratch in
      try boards(["other.hostapp.yml": "services:\n  debug: {image: __BUILD_OUTPUT__\n"], in: scratch) { repository in
        let plan = try plan(from: [.usable(try repository.read())])
        #expect(slugs(plan) == ["good"] && plan.failed.map(\.slug.text) == ["other"])
        #expect(plan.failed[0].reason.hasPrefix("\(repository.path)/other.hostapp.yml:3: "), "\(plan.failed)")
      }
    }
  }

  /// meta-balena's composition is part of every device type of its repository, and of no other one's. As a whole it may be unreadable, or break a rule.
  @Test(arguments: [
    ("services:\n  debug: {image: __BUILD_OUTPUT__\n", "hostapp.yml:3: "), ("services: [1]\n", "hostapp.yml:1: "), ("- a\n", "hostapp.yml:1: "),
    ("services: {}\n", "hostapp.yml:1: "), ("version: 2\nservices:\n  a: 1\n", "hostapp.yml:3: service 'a': "),
  ])
  func aBrokenBaseCompositionCostsItsRepository(_ text: String, _ place: String) throws {
    try withScratchDirectory { scratch in
      try boards(["layers/meta-balena/hostapp.yml": text], in: scratch) { repository in
        let sound = try PlannerTests.repository("sound", [PlannerTests.deviceType("a")])
        let plan = try plan(from: [.usable(try repository.read()), .usable(sound)])
        #expect(slugs(plan) == ["a"] && plan.failed.map(\.slug.text) == ["good", "other"] && plan.problems.isEmpty)
        #expect(plan.failed.allSatisfy { $0.reason.hasPrefix("\(repository.path)/layers/meta-balena/\(place)") }, "\(plan.failed)")
        #expect(plan.complaints.count == 1, "said once: \(plan.complaints)")
      }
    }
  }

  @Test func aBrokenContractCostsItsBlock() throws {
    try withScratchDirectory { scratch in
      let files = [
        "contracts/sw.image/x/contract.json": "{\"slug\":\"x\",\"type\":\"sw.image.overlay\",\n",
        "contracts/sw.image/y/contract.json": #"{"slug": "y", "type": "sw.image.overlay", "composedOf": [{"type": "sw.recipe.yocto", "slug": "y"}, "#
          + #"{"type": "sw.package.yocto.ipk", "slug": "y"}]}"#,
      ]
      try boards(files, in: scratch) { repository in
        let reading = RepositoryReading.usable(try repository.read())
        let file = "\(repository.path)/contracts/sw.image/x/contract.json:"
        let all = try plan(blocks: "all", from: [reading])
        #expect(slugs(all) == ["good", "other"] && all.tasks.allSatisfy { !$0.isRelease && $0.blocks.count == 1 })
        #expect(all.complaints.count == 1 && all.complaints[0].hasPrefix(file))
        // By name, nothing needs it.
        let named = try plan(["good"], blocks: "y", from: [reading])
        #expect(named.complaints.isEmpty && named.tasks.map(\.isRelease) == [true] && named.notices.count == 1)
        let wanted = #expect(throws: PlanningError.self) { try plan(["good"], blocks: "x", from: [reading]) }
        #expect(wanted?.description.contains("unknown block 'x'") == true && wanted?.description.contains(file) == true)
      }
    }
  }

  @Test func aRepositoryCostsItsDeviceTypes() throws {
    let good = try PlannerTests.repository("good", [PlannerTests.deviceType("a")])
    var listing = RepositoryListing(name: "bad")
    listing.deviceTypes = [
      try PlannerTests.deviceType("b"), try PlannerTests.deviceType("c"), try PlannerTests.deviceType("d", state: .discontinued),
    ]
    let error = PlanningError.repository(name: "bad", reason: "has uncommitted changes", hint: "")
    let bad = RepositoryReading.unusable(UnusableRepository(listing: listing, error: error))
    let unread = RepositoryReading.unusable(UnusableRepository(listing: RepositoryListing(name: "gone"), error: error))
    let all = try plan(from: [.usable(good), bad])
    #expect(slugs(all) == ["a"] && all.complaints == ["b, c: repository bad: has uncommitted changes"] && all.skipped.map(\.slug.text) == ["d"])
    #expect(try plan(["a"], from: [.usable(good), bad]).complaints.isEmpty)
    #expect(try plan(from: [.usable(good), unread]).problems == ["repository bad: has uncommitted changes"])
    let named = try plan(["a"], from: [.usable(good), unread])
    #expect(named.complaints.isEmpty && named.notices == ["repository bad: has uncommitted changes (nothing of it is needed)"])
    let nothing = #expect(throws: PlanningError.self) { try plan(from: [bad, unread]) }
    #expect(nothing == .nothingLeft(["repository bad: has uncommitted changes"]))
    #expect(nothing?.blame == .repository)
  }

  /// Which of two is newer cannot be told, so neither is built behind somebody's back.
  @Test func anUnknownVersionDoesNotLose() throws {
    let good = try PlannerTests.repository("stale", [PlannerTests.deviceType("a")])
    let error = PlanningError.repository(name: "new", reason: "has no commit", hint: "")
    var listing = RepositoryListing(name: "new")
    listing.deviceTypes = [try PlannerTests.deviceType("a")]
    var bad = UnusableRepository(listing: listing, error: error)
    let unknown = #expect(throws: PlanningError.self) { try plan(from: [.usable(good), .unusable(bad)]) }
    #expect(
      unknown?.description == "repository stale, new: all of them define a, and the versions of some are not known: repository new: has no commit; "
        + "'preferred: true' in farm.yaml chooses one of them")
    bad.version = OSVersion("1.0.0")
    #expect(slugs(try plan(from: [.usable(good), .unusable(bad)])) == ["a"], "it is older, so it is not needed")
    bad.version = OSVersion("99.0.0")
    #expect(throws: PlanningError.nothingLeft([error.description])) { try plan(from: [.usable(good), .unusable(bad)]) }
  }

  /// Names that are wrong are all told at once, and what is left out may have any name.
  @Test func namesAreToldAtOnce() throws {
    let arm = RepositoryReading.usable(try PlannerTests.arm())
    let error = #expect(throws: PlanningError.self) { try plan(["acme-bord64", "acme-modul", "acme-board7"], from: [arm]) }
    #expect(error?.description.split(separator: "\n").count == 2 && error?.blame == .request)
    #expect(slugs(try plan(skip: ["acme-board64", "l", "acme-module"], from: [arm])) == ["acme-board7", "acme-module-sb", "righty"])
    let skip = #expect(throws: PlanningError.self) { try plan(skip: ["acme-bord64"], from: [arm]) }
    #expect(skip?.description == "unknown device type 'acme-bord64'; known: acme-board64, acme-board7")
  }

  @Test func aTwinInOneRepositoryIsNotGuessed() throws {
    try withScratchDirectory { scratch in
      try boards(["third.coffee": TemporaryRepository.manifest(slug: "other")], in: scratch) { repository in
        let plan = try plan(from: [.usable(try repository.read())])
        #expect(slugs(plan) == ["good"])
        let path = repository.path
        #expect(
          plan.problems == [
            "\(path)/other.coffee: has the slug 'other', and so has the manifest of third",
            "\(path)/third.coffee: has the slug 'other', and so has the manifest of other",
          ])
      }
    }
  }
}
