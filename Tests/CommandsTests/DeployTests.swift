import Balena
import Foundation
import HTTP
import TestCloud
import TestGolden
import TestPeers
import Testing

/// From a device repository to final releases in a cloud, and back: what is released is fetched instead of built.
@Suite struct DeployTests {
  private static var configuration: TestCloudConfiguration {
    var configuration = TestCloudConfiguration()
    configuration.isStrict = true
    // Each command with an account logs in anew.
    configuration.allowedLogins = 100
    configuration.deviceTypes.append(.init("acme-board7", "armv7hf"))
    return configuration
  }

  private static func environment(_ cloud: TestCloud) -> String { environment(api: cloud.url) }

  private static func environment(api: String) -> String {
    "environments: {lab: {api: \"\(api)\", token: \"env:LAB_TOKEN\", team: OS Devs, role: developer}}\n"
  }

  /// An account instead of a token.
  private static func login(_ cloud: TestCloud) -> String {
    environment(cloud).replacing(
      "token: \"env:LAB_TOKEN\"", with: "login: {username: \"\(cloud.accounts.admin.email)\", password: \"env:LAB_PASSWORD\"}")
  }

  @Test func publishesFinalReleasesAndFetchesThemAfterwards() async throws {
    try await withTestCloud(Self.configuration) { cloud in
      let password = cloud.accounts.admin.password
      let variables = ["LAB_PASSWORD": password]
      let arguments = ["-m", "acme-board7", "--blocks", "acme-diagnostics", "--env", "lab", "--json"]
      let farm = try SampleFarm(extra: Self.login(cloud))
      let built = try farm.start(["build", "--local", "--deploy", "final"] + arguments, variables: variables, limit: 180).wait()
      #expect(built.status == 0, "\(built.errors)")
      let report = try JSON(built.output).deviceType("acme-board7")
      #expect(report["steps"].items.compactMap { $0["name"].text }.last == "publish")
      for application in ["acme-board7", "acme-board7-acme-diagnostics", "acme-board7-hostos"] {
        let shown = try farm.start(["release", "show", application, "6.1.24+rev3", "--env", "lab", "--json"], variables: variables).wait()
        #expect(shown.status == 0, "\(application): \(shown.errors)")
        #expect(try JSON(shown.output)["releases"].items.count == 1, "\(application): \(shown.output)")
      }
      let tree = "out/\(try #require(try JSON(built.output)["request"].text))"
      let verified = try farm.start(["release", "verify", tree, "--env", "lab"], variables: variables).wait()
      #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
      let releases = report["releases"].items
      #expect(
        releases.compactMap { $0["application"].text } == [
          "balena_os/acme-board7-acme-diagnostics", "balena_os/acme-board7", "balena_os/acme-board7-hostos",
        ])
      #expect(releases[0]["images"].items.first?["digest"].text == report["blocks"].items.first?["dockerDigest"].text)
      #expect(releases[1]["assets"].items.count > 5)
      // A digest that is not what was built, of an image and of an asset.
      let index = "\(farm.directory)/\(tree)/index.json"
      let written = try String(contentsOfFile: index, encoding: .utf8)
      for (what, digest) in [
        ("'hostapp' is", try #require(releases[1]["images"].items.first?["digest"].text)),
        ("asset VERSION is", try #require(releases[1]["assets"].items.first { $0["key"].text == "VERSION" }?["digest"].text)),
      ] {
        let other = "sha256:" + String(repeating: "0", count: 64)
        try written.replacing(digest, with: other).write(toFile: "\(farm.directory)/other.json", atomically: true, encoding: .utf8)
        let refused = try farm.start(["release", "verify", "other.json", "--env", "lab"], variables: variables).wait()
        #expect(refused.status == 1 && refused.errors.contains(what) && refused.errors.contains(other), "\(refused.errors)")
      }

      // Another coordinator at the same version: nothing to build for the block, it is what was published.
      let other = try SampleFarm(extra: Self.login(cloud))
      let fetched = try other.start(["build", "--local"] + arguments, variables: variables, limit: 180).wait()
      #expect(fetched.status == 0, "\(fetched.errors)")
      let second = try JSON(fetched.output).deviceType("acme-board7")
      let steps = second["steps"].items.compactMap { $0["name"].text }
      #expect(steps.contains("fetch") && !steps.contains("blocks"), "\(steps)")
      #expect(second["blocks"].items.first?["dockerDigest"].text == report["blocks"].items.first?["dockerDigest"].text)
      // And as a guest, since its applications are public; publishing is another matter.
      let guest = try SampleFarm(extra: "environments: {lab: {api: \"\(cloud.url)\"}}\n")
      let shared = try guest.start(["build", "--local", "--only", "blocks"] + arguments, limit: 180).wait()
      #expect(shared.status == 0 && shared.errors.contains("as a guest"), "\(shared.errors)")
      let third = try JSON(shared.output).deviceType("acme-board7")
      #expect(third["blocks"].items.first?["dockerDigest"].text == report["blocks"].items.first?["dockerDigest"].text)
      #expect(!third["steps"].items.contains { $0["name"].text == "blocks" })
      let shown = try guest.start(["release", "show", "acme-board7", "6.1.24+rev3", "--env", "lab"]).wait()
      #expect(shown.status == 0, "\(shown.errors)")
      let refused = try guest.start(["build", "--local", "--deploy", "draft"] + arguments).wait()
      #expect(refused.status == 2 && refused.errors.contains("cloud 'lab' has no token"), "\(refused.errors)")
      // Blocks that no contract here knows are fetched by their name; one that is not released either is a typing mistake.
      let text = try String(contentsOfFile: other.directory + "/farm.yaml", encoding: .utf8)
      try other.write(
        text.replacing("checkouts/balena-acme-arm}", with: "checkouts/balena-acme-arm, contracts: [contracts/contracts/hw.device-type]}"),
        to: "farm.yaml")
      let named = try other.start(["build", "--local", "--only", "blocks"] + arguments, variables: variables, limit: 180).wait()
      #expect(named.status == 0, "\(named.errors)")
      let fourth = try JSON(named.output).deviceType("acme-board7")
      #expect(fourth["blocks"].items.first?["dockerDigest"].text == report["blocks"].items.first?["dockerDigest"].text)
      let mistaken = try other.start(
        ["build", "--local", "-m", "acme-board7", "--blocks", "acme-diagnosis", "--env", "lab"], variables: variables
      ).wait()
      #expect(mistaken.status == 2 && mistaken.errors.contains("unknown block 'acme-diagnosis'"), "\(mistaken.errors)")
      for ended in [built, fetched, verified] { #expect(!ended.output.contains(password) && !ended.errors.contains(password)) }
      let found = try Child(["grep", "-rlF", password, farm.directory], environment: SampleFarm.environment(home: "/"), directory: "/").wait()
      #expect(found.status == 1, "the password is in \(found.output)")
    }
  }

  /// Retries may take minutes: builds and `release` report them.
  @Test func tellsWhatIsTriedAgain() async throws {
    try await withTestCloud(Self.configuration, hasRegistry: false) { cloud in
      let farm = try SampleFarm(extra: Self.environment(cloud))
      for arguments in [
        ["release", "show", "acme-board7", "1.0.0", "--env", "lab"], ["build", "--local", "-m", "acme-board7", "--env", "lab", "--deploy", "draft"],
      ] {
        await cloud.traffic.inject(Fault(.api, .get, "/actor/v1/whoami", .reply(status: 503)))
        // The server does not know the token, which is said after the second try.
        let ended = try farm.start(arguments, variables: ["LAB_TOKEN": "unknown"]).wait()
        #expect(ended.status == 2, "\(ended)")
        #expect(ended.errors.contains("note: GET \(cloud.url)/actor/v1/whoami was answered 503; try 2 of 7 in 1 s\n"), "\(ended.errors)")
      }
    }
  }

  /// The coordinator is killed at some request to the cloud; what is started after it publishes everything once.
  @Test func aKilledCoordinatorGoesOn() async throws {
    let farm = try SampleFarm()
    let configuration = try String(contentsOfFile: farm.directory + "/farm.yaml", encoding: .utf8)
    let build = ["build", "--local", "-m", "acme-board7", "--blocks", "acme-diagnostics", "--env", "lab"]
    // Made once, so that all that is left to do is to publish.
    try farm.write(Self.environment(api: "http://127.0.0.1:9") + configuration, to: "farm.yaml")
    let made = try farm.start(["build", "--local", "-m", "acme-board7", "--blocks", "acme-diagnostics"], limit: 180).wait()
    #expect(made.status == 0, "\(made.errors)")
    var count = 0
    for fraction in [1.1, 0.3, 0.6, 0.95] {
      try await withTestCloud(Self.configuration) { cloud in
        try farm.write(Self.environment(cloud) + configuration, to: "farm.yaml")
        let variables = ["LAB_TOKEN": try await Self.token(cloud)]
        await cloud.traffic.reset()
        let child = try farm.start(build + ["--deploy", "final"], variables: variables, limit: 180)
        if fraction < 1 {
          await cloud.traffic.afterRequest(Int(Double(count) * fraction)) { _ in child.killGroup() }
          #expect(child.wait().status == 128 + SIGKILL)
          let again = try farm.start(build + ["--deploy", "final"], variables: variables, limit: 180).wait()
          #expect(again.status == 0, "\(again.errors)")
        } else {
          #expect(child.wait().status == 0)
          count = await cloud.traffic.count
        }
        for application in ["acme-board7", "acme-board7-acme-diagnostics", "acme-board7-hostos"] {
          let shown = try farm.start(["release", "show", application, "6.1.24+rev3", "--env", "lab", "--json"], variables: variables).wait()
          let releases = try JSON(shown.output)["releases"].items
          #expect(releases.count == 1 && releases.first?["isFinal"].bool == true, "\(application), killed at \(fraction): \(shown.output)")
        }
      }
    }
    #expect(count > 50)
  }

  /// What cannot become final fails before anything is built, and says why; drafts of it can be made.
  @Test func refusesEarlyWhatIsNoRelease() async throws {
    try await withTestCloud(Self.configuration) { cloud in
      let variables = ["LAB_TOKEN": try await Self.token(cloud)]
      let farm = try SampleFarm(extra: Self.environment(cloud))
      let final = ["build", "--local", "-m", "acme-board7", "--blocks", "acme-diagnostics", "--env", "lab", "--json", "--deploy", "final"]
      try farm.git("commit", "--quiet", "--allow-empty", "--message", "later")
      let refused = try farm.start(final, variables: variables).wait()
      #expect(refused.status == 1, "\(refused.errors)")
      let report = try JSON(refused.output).deviceType("acme-board7")
      #expect(report["reason"].text?.contains("6.1.24+rev3 cannot become final: not a release: the commit is not the tag") == true)
      #expect(report["attempts"].number == 0 && !refused.errors.contains("feed"))
      // A type that the cloud does not know.
      let unknown = try farm.start(
        ["build", "--local", "-m", "acme-edge64", "--env", "lab", "--json", "--deploy", "draft"], variables: variables
      ).wait()
      #expect(unknown.status == 1 && unknown.output.contains("knows no device type 'acme-edge64'"), "\(unknown)")
      let mixed = try farm.start(final + ["--only", "image"], variables: variables).wait()
      #expect(mixed.status == 2 && mixed.errors.contains("publish without --only image"), "\(mixed)")
    }
  }

  /// Cancelled while it publishes: the releases stay drafts, nothing becomes final, and the next run finishes them.
  @Test func cancelledWhilePublishing() async throws {
    try await withTestCloud(Self.configuration) { cloud in
      let variables = ["LAB_TOKEN": try await Self.token(cloud)]
      let farm = try SampleFarm(extra: Self.environment(cloud))
      let build = ["build", "--local", "-m", "acme-board7", "--blocks", "acme-diagnostics", "--env", "lab", "--deploy", "final", "--json"]
      // The block is complete by then, the hostapp stays without assets.
      let stuck = Fault(.api, .post, "/v7/release_asset", times: nil, .delay(.seconds(300)))
      await cloud.traffic.inject(stuck)
      let child = try farm.start(build, variables: variables, limit: 120)
      try child.waitFor("acme-board7: publish: balena_os/acme-board7: attaching")
      child.signal(SIGTERM)
      let ended = child.wait()
      #expect(ended.status == 130, "\(ended.errors)")
      let report = try JSON(ended.output).deviceType("acme-board7")
      #expect(report["outcome"].text == "cancelled" && !report["images"].items.isEmpty, "\(report)")
      await cloud.traffic.removeFaults()
      let shown = try farm.start(
        ["release", "show", "acme-board7-acme-diagnostics", "6.1.24+rev3", "--env", "lab", "--json"], variables: variables
      ).wait()
      #expect(try JSON(shown.output)["releases"].items.map { $0["isFinal"].bool } == [false], "\(shown)")
      let again = try farm.start(build, variables: variables, limit: 120).wait()
      #expect(again.status == 0, "\(again.errors)")
    }
  }

  private static func token(_ cloud: TestCloud) async throws -> String {
    try #require(
      try await BalenaLogin.sessionToken(
        http: HTTPClient(), api: HTTPURL(cloud.url), username: cloud.accounts.admin.email, password: Secret(cloud.accounts.admin.password))
    ).exposed
  }

  @Test func refusesToDeployWithoutAnEnvironment() throws {
    let farm = try SampleFarm()
    let ended = try farm.start(["build", "--local", "-m", "acme-board7", "--deploy", "draft"]).wait()
    #expect(ended.status == 2)
    try Golden.check("deploy-without-environment", ended.errors, farm: farm)
    #expect(try farm.requests().isEmpty)
  }
}
