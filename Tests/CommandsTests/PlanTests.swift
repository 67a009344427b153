import Foundation
import TestGolden
import Testing

/// What `blockfarm plan` says of blocks, and the options that decide how they are made.
@Suite(.serialized) struct PlanTests {
  private static let shared = Result { try SampleFarm(["arm", "modern"]) }

  private func check(_ name: String, _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
    let farm = try Self.shared.get()
    let ended = try farm.start(["plan"] + arguments).wait()
    #expect(ended.status == 0, "\(ended)", sourceLocation: sourceLocation)
    let commit = try farm.git("rev-parse", "HEAD", in: "balena-acme-modern").prefix(10)
    try Golden.check(name, ended.output, farm: farm, replacing: [String(commit): "<commit>"], sourceLocation: sourceLocation)
  }

  @Test func explainsBlocksThatFitAndThatDoNot() throws {
    try check("plan-explain", ["-m", "acme-board7", "-m", "acme-kit", "--explain"])
    // Elsewhere this would be an error.
    try check("plan-explain-misfit", ["-m", "acme-board7", "--explain", "--blocks", "acme-gpu"])
  }

  @Test func explainsAsJSON() throws {
    let farm = try Self.shared.get()
    let json = try JSON(farm.run("plan", "-m", "acme-kit", "--blocks", "acme-wireless:acme-tracing", "--explain", "--json").output)
    let explanations = json["explanations"].items
    #expect(explanations.map { $0["block"].text } == ["acme-wireless", "acme-tracing"])
    let results = explanations[0]["requirements"].items.map { "\($0["demand"].text ?? "") \($0["result"].text ?? "")" }
    #expect(results == ["Yocto kirkstone unmet", "balenaOS 6.x unmet", " met"])
    let plain = try JSON(farm.run("plan", "-m", "acme-kit", "--blocks", "acme-tracing", "--json").output)
    #expect(plain["explanations"].items.isEmpty)
    let service = plain["tasks"][0]["composition"]["services"]["acme-tracing"]
    #expect(service["image"].text == "__BUILD_OUTPUT__" && service["profiles"][0].text == "tracing")
  }

  @Test func showsWhereBlocksComeFrom() throws {
    try check("plan-origins", ["-m", "acme-kit", "--blocks", "all", "--builder", "dockerfile", "--base-image", "example/opkg:1"])
  }

  static let refused: [(name: String, arguments: [String])] = [
    ("unknown-half", ["--only", "feeds"]), ("unknown-builder", ["--builder", "buildah"]), ("unknown-layers", ["--layers", "many"]),
    ("dockerfile-without-base", ["--builder", "dockerfile"]), ("base-without-dockerfile", ["--base-image", "x"]),
    ("only-no-blocks", ["--only", "blocks"]),
  ]

  @Test(arguments: refused) func refusesOptions(_ request: (name: String, arguments: [String])) throws {
    let farm = try Self.shared.get()
    let ended = try farm.start(["plan", "-m", "acme-kit"] + request.arguments).wait()
    #expect(ended.status == 2 && ended.output.isEmpty, "\(ended)")
    try Golden.check(request.name, ended.errors, farm: farm)
  }

  @Test func aBrokenCompositionIsNamed() throws {
    let farm = try SampleFarm()
    try farm.write("services: {journal: {image: __BUILD_OUTPUT__}}\n", to: "checkouts/balena-acme-arm/acme-board7.hostapp.yml")
    try farm.git("add", "--all")
    try farm.commit()
    let ended = try farm.run("plan", "-m", "acme-board7")
    #expect(ended.status == 2)
    try Golden.check("broken-composition", ended.errors, farm: farm)
  }
}
