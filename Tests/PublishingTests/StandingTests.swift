import Balena
import BuildModel
import CanonicalJSON
import Publishing
import Testing

/// What counts as existing, and what is missing in a draft.
struct StandingTests {
  let wanted = ["tools": Sample.digest("a")]

  func row(_ digest: Digest? = Sample.digest("a"), id: Int = 1) -> String { Sample.imageRow(id, "tools", digest) }

  func judge(_ byCommit: [CloudRelease] = [], byTag: [CloudRelease] = [], byVersion: [CloudRelease] = []) -> String {
    switch ReleaseStanding.judge(commit: "ours", images: wanted, byCommit: byCommit, byTag: byTag, byVersion: byVersion) {
    case .absent: "absent"
    case .ours(let release): "ours \(release.id)"
    case .same(let release): "same \(release.id)"
    case .conflict(let release, let reason): "conflict \(release.id): \(reason)"
    }
  }

  @Test func countsOnlyWhatDevicesMayBeGiven() throws {
    let others = [
      try Sample.release(id: 1, isFinal: false, images: [row()]), try Sample.release(id: 2, status: "failed", images: [row()]),
      try Sample.release(id: 3, status: "running", images: [row()]), try Sample.release(id: 4, isInvalidated: true, images: [row()]),
    ]
    #expect(judge(byTag: others, byVersion: others) == "absent")
    #expect(judge(byTag: others + [try Sample.release(id: 5, images: [row()])]) == "same 5")
  }

  @Test func looksAtTheTagFirstAndAtTheNewest() throws {
    let tagged = try Sample.release(id: 5, images: [row(Sample.digest("b"))])
    let named = try Sample.release(id: 6, images: [row()])
    #expect(judge(byTag: [tagged], byVersion: [named]) == "conflict 5: service 'tools' is bbbbbbbbbbbb there and aaaaaaaaaaaa here")
    #expect(judge(byVersion: [named]) == "same 6")
    #expect(judge(byTag: [tagged, named]) == "same 6")
  }

  @Test func goesOnWithItsOwn() throws {
    let draft = try Sample.release(id: 3, commit: "ours", status: "running", isFinal: false)
    let second = try Sample.release(id: 4, commit: "ours", status: "running", isFinal: false)
    let complete = try Sample.release(id: 5, commit: "ours", isFinal: false)
    let visible = try Sample.release(id: 6, commit: "ours")
    #expect(judge([second, draft]) == "ours 3")
    #expect(judge([draft, complete]) == "ours 5")
    #expect(judge([draft, complete, visible]) == "ours 6")
    #expect(judge([visible], byTag: [visible]) == "ours 6")
    #expect(judge([try Sample.release(id: 7, commit: "ours", status: "cancelled", isFinal: false)]) == "absent")
    // Somebody else was faster with other content.
    #expect(judge([draft], byVersion: [try Sample.release(id: 9, images: [row(Sample.digest("b"))])]).hasPrefix("conflict 9"))
    #expect(judge([try Sample.release(id: 8, commit: "ours", isInvalidated: true)]).hasPrefix("conflict 8: exactly this content"))
  }

  @Test func saysWhatDiffers() throws {
    let more = try Sample.release(id: 5, images: [row(), Sample.imageRow(2, "extra", Sample.digest("a"))])
    #expect(judge(byTag: [more]) == "conflict 5: it has another service 'extra'")
    #expect(judge(byTag: [try Sample.release(id: 5)]) == "conflict 5: it has no service 'tools'")
  }

  @Test(arguments: [
    ("2.60.1", true, "2.60.1"), ("2.60.1+rev4", true, "2.60.1+rev4"), ("0.0.0", true, nil), ("0.0.0+rev3", true, nil),
    ("2.60.1-1699999999999", false, "2.60.1"), ("2.60.1-rc1.1699999999999", false, "2.60.1-rc1"),
    ("2.60.1-1699999999999+rev4", false, "2.60.1+rev4"), ("0.0.0-1699999999999", false, nil), ("2.60.1", false, "2.60.1"),
  ])
  func knowsWhatTheServerCallsIt(_ rawVersion: String, _ isFinal: Bool, _ name: String?) throws {
    #expect(try Sample.release(isFinal: isFinal, rawVersion: rawVersion).name == name)
  }

  @Test func knowsWhichOfTwoWasFinalFirst() throws {
    func release(_ rawVersion: String, _ revision: Int?, id: Int = 1, _ digest: Digest = Sample.digest("a")) throws -> CloudRelease {
      try Sample.release(id: id, isFinal: revision != nil, rawVersion: rawVersion, revision: revision, images: [row(digest, id: id)])
    }
    #expect(try release("2.60.1", 0).precedes(release("2.60.1+rev1", 1)) == true)
    #expect(try release("0.0.0+rev7", 7).precedes(release("0.0.0+rev3", 3)) == false)
    #expect(try release("2.60.1", 0).precedes(release("0.0.0+rev3", 3)) == nil)
    #expect(try release("2.60.1", 0).precedes(release("2.60.1-17", nil)) == nil)
    let all = [
      try release("0.0.0", 0, id: 1), try release("0.0.0+rev1", 1, id: 2, Sample.digest("b")), try release("0.0.0-3", nil, id: 3, Sample.digest("b")),
      try release("0.0.0+rev2", 2, id: 4),
    ]
    #expect(ReleaseStanding.rivals(of: all[0], among: all).map(\.release.id.number) == [2])
    #expect(ReleaseStanding.rivals(of: all[1], among: all).map(\.release.id.number) == [1, 4])
    #expect(ReleaseStanding.rivals(of: all[0], among: all)[0].reason == "service 'tools' is bbbbbbbbbbbb there and aaaaaaaaaaaa here")
  }

  // MARK: What is missing

  func description() throws -> ReleaseDescription {
    let labels = ["io.balena.image.class": "overlay", "io.balena.image.store": "data"]
    let services = ["tools": ReleaseDescription.Service(image: Sample.image("a"), labels: labels)]
    return try ReleaseDescription(
      application: ApplicationName(organization: "balena_os", name: "board"), version: OSVersion("2.60.1")!, services: services,
      composition: ReleaseComposition.plain(services, version: "2.4"), contract: nil, assets: [Sample.asset("VERSION")])
  }

  func missing(_ release: CloudRelease, assets: String = "[]") throws -> [String] {
    try description().remaining(in: release, assets: CanonicalJSON.decode([CloudAsset].self, from: assets.utf8)).map(\.description)
  }

  static let whole = #"[{"id":1,"asset_key":"VERSION","asset":{"filename":"VERSION","href":"https://x/y","size":5,"content_type":"text/plain"}}]"#
  static let labels = ["io.balena.image.class": "overlay", "io.balena.image.store": "data"]

  @Test func asksForOneThingAfterTheOther() throws {
    func draft(_ images: [String], status: String = "running") throws -> CloudRelease {
      try Sample.release(status: status, isFinal: false, images: images)
    }
    #expect(try missing(draft([])) == ["image of tools"])
    let fresh = Sample.imageRow(1, "tools", nil, status: "running")
    #expect(
      try missing(draft([fresh])) == [
        "label io.balena.image.class of tools", "label io.balena.image.store of tools", "push of tools to r.example/v2/1", "asset VERSION",
      ])
    let pushed = Sample.imageRow(1, "tools", Sample.digest("a"), labels: Self.labels)
    #expect(try missing(draft([pushed])) == ["asset VERSION"])
    #expect(try missing(draft([pushed]), assets: Self.whole) == ["status"])
    #expect(try missing(draft([pushed], status: "success"), assets: Self.whole).isEmpty)
  }

  @Test func knowsAnUnfinishedAssetAndAWrongImage() throws {
    let empty = #"[{"id":1,"asset_key":"VERSION","asset":null}]"#
    let short = Self.whole.split(separator: "\"size\":5").joined(separator: "\"size\":4")
    let pushed = Sample.imageRow(1, "tools", Sample.digest("a"), labels: Self.labels)
    let draft = try Sample.release(status: "running", isFinal: false, images: [pushed])
    #expect(try missing(draft, assets: empty) == ["asset VERSION"])
    #expect(try missing(draft, assets: short) == ["asset VERSION"])
    let wrong = Sample.imageRow(1, "tools", Sample.digest("b"), labels: Self.labels)
    #expect(try missing(Sample.release(isFinal: false, images: [wrong]), assets: Self.whole) == ["push of tools to r.example/v2/1"])
  }

  @Test func keepsTheOldestOfSeveralImages() throws {
    let rows = [row(nil, id: 9), row(nil, id: 4), Sample.imageRow(5, "stranger", nil)]
    #expect(
      try missing(Sample.release(status: "running", isFinal: false, images: rows)) == ["surplus image 105 of stranger", "surplus image 109 of tools"])
  }

  @Test func neverChangesAFinalReleaseOrALabel() throws {
    #expect(complaint { try missing(Sample.release(images: [])) }.contains("which is final"))
    let other = Sample.imageRow(1, "tools", nil, status: "running", labels: ["io.balena.image.class": "service"])
    #expect(complaint { try missing(Sample.release(isFinal: false, images: [other])) }.contains("is 'service', expected 'overlay'"))
  }
}
