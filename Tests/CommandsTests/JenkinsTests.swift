import Foundation
import TestCloud
import TestFiles
import TestGolden
import TestPeers
import Testing

/// `blockfarm jenkins` as a job starts it: variables in, `deploy-jenkins/` and an exit status out.
@Suite struct JenkinsTests {
  private static let freeDisk = (try? FileManager.default.attributesOfFileSystem(forPath: "/tmp")[.systemFreeSize] as? Int64) ?? 0
  private static let token = "t0ken-that-nobody-may-see"

  /// The command in a job's workspace, the arm repository's checkout.
  private func job(
    _ farm: SampleFarm, _ variables: [String: String], _ arguments: [String] = [], isConfigured: Bool = true
  ) throws -> Child {
    let place = "checkouts/balena-acme-arm"
    let configuration = isConfigured ? ["--config", farm.directory + "/farm.yaml"] : []
    let common = ["WORKSPACE": farm.directory + "/" + place, "BALENAOS_STAGING_TOKEN": Self.token, "BUILD_NUMBER": "17"]
    return try farm.start(
      ["jenkins"] + configuration + arguments, in: place, variables: common.merging(variables) { _, new in new })
  }

  private func deployed(_ farm: SampleFarm) -> String { farm.directory + "/checkouts/balena-acme-arm/deploy-jenkins" }

  private func files(_ directory: String) -> Set<String> {
    Set(FileManager.default.enumerator(atPath: directory)?.allObjects as? [String] ?? [])
  }

  /// What xmllint finds in the job's JUnit file.
  private func junit(_ farm: SampleFarm, _ expression: String) throws -> String {
    let ended = try Child(
      ["xmllint", "--xpath", expression, deployed(farm) + "/junit.xml"], environment: SampleFarm.environment(home: "/"), directory: "/"
    ).wait()
    #expect(ended.status == 0, "\(ended.errors)")
    return ended.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private func index(_ farm: SampleFarm) throws -> JSON { try JSON(String(contentsOfFile: deployed(farm) + "/index.json", encoding: .utf8)) }

  /// By the rules of Jenkins' readers.
  private func expectValidJUnit(_ farm: SampleFarm) throws {
    let checked = try Tool.end(of: ["python3", Project.path + "/deploy/checks/junit.py", deployed(farm) + "/junit.xml"])
    #expect(checked.status == 0, "\(checked.output)")
  }

  /// The token is in no output and in no file: not in the state, not in the trees, not in the worker's directory.
  private func expectNoToken(_ ended: Child.Ended, _ farm: SampleFarm) throws {
    #expect(!ended.output.contains(Self.token) && !ended.errors.contains(Self.token))
    let found = try Child(
      ["grep", "--recursive", "--files-with-matches", "--fixed-strings", Self.token, farm.directory],
      environment: SampleFarm.environment(home: "/"), directory: "/"
    ).wait()
    #expect(found.status == 1, "\(found.output)\(found.errors)")
  }

  /// Without any configuration, as the old jobs were: one device type, one block, built in place.
  @Test(
    .enabled(if: !FileManager.default.fileExists(atPath: "/etc/blockfarm/farm.yaml"), "this machine has a farm of its own"),
    .enabled(if: freeDisk > 50_000_000_000, "without any configuration a host needs what a real build needs"))
  func oneDeviceType() throws {
    let farm = try SampleFarm()
    let variables = [
      "MACHINE": "acme-board7", "hostOSBlocks": "acme-diagnostics", "deploy": "no", "deployTo": "staging", "VERBOSE": "verbose",
      "metaBalenaBranch": "__ignore__", "supervisorVersion": "v99.1.2", "OS_DEVELOPMENT": "true", "YOCTO_DIR": farm.directory + "/yocto",
    ]
    let added = ["--additional-variable", "ACME_CHANNEL=lab"]
    let ended = try job(farm, variables, added, isConfigured: false).wait()
    #expect(ended.status == 0, "\(ended)")
    try expectNoToken(ended, farm)
    #expect(ended.errors.contains("acme-board7: feed 100 %"), "VERBOSE shows how far it is")
    let expected: Set<String> = [
      "device-type.json", "VERSION", "VERSION_HOSTOS", "balena-image.docker", "image/balena.img.zip", "junit.xml", "ipk/all",
      "acme-board7-acme-diagnostics-6.1.24+rev3.docker", "images/balena-image-acme-board7.balenaos-img",
    ]
    #expect(expected.subtracting(files(deployed(farm))).isEmpty)
    #expect(try junit(farm, "string(/testsuites/@failures + /testsuites/@errors)") == "0")
    #expect(try junit(farm, "string(//testsuite/@name)") == "acme-board7")
    #expect(try junit(farm, "boolean(//testcase[@name='feed'])") == "true")
    // The arguments of the build wrapper show in what it made.
    #expect(try String(contentsOfFile: deployed(farm) + "/VERSION", encoding: .utf8).contains("v99.1.2"))
    #expect(files(farm.directory + "/yocto").isSuperset(of: ["shared-downloads", "acme-board7/sstate"]))
    #expect(try !FileManager.default.contentsOfDirectory(atPath: farm.directory + "/yocto/acme-board7/sstate").isEmpty)
    let release = try Child(
      ["sh", "-c", "dpkg-deb --fsys-tarfile ipk/*/os-release_*.ipk | tar -xO ./usr/lib/os-release"],
      environment: SampleFarm.environment(home: "/"), directory: deployed(farm)
    ).wait()
    #expect(release.output.contains("DEVELOPMENT=\"1\"") && release.output.contains("CHANNEL=\"lab\""), "\(release)")
    #expect(try index(farm)["additionalVariables"].items.map(\.text) == ["ACME_CHANNEL=lab"])
    // The image that the old jobs pick up is the one with the block in it.
    let unzipped = try Child(
      [
        "sh", "-c", "python3 -m zipfile -e image/balena.img.zip \"$1\" && cmp \"$1/balena.img\" images/*.balenaos-img", "sh",
        farm.directory + "/unzipped",
      ],
      environment: SampleFarm.environment(home: "/"), directory: deployed(farm)
    ).wait()
    #expect(unzipped.status == 0, "\(unzipped)")
    #expect(try farm.git("status", "--porcelain").isEmpty, "the workspace stays as it was checked out")
    #expect(FileManager.default.fileExists(atPath: farm.directory + "/.local/state/blockfarm/jenkins"))

    // The next build of the job finds everything made, and what it does not make is not there any more.
    try farm.write("old", to: "checkouts/balena-acme-arm/deploy-jenkins/of-yesterday")
    let again = try job(farm, variables, added, isConfigured: false).wait()
    #expect(again.status == 0, "\(again)")
    #expect(again.output.contains("reused"))
    #expect(expected.subtracting(files(deployed(farm))).isEmpty)
    #expect(!files(deployed(farm)).contains("of-yesterday"))
  }

  /// A fan-out where one device type fails: the other is there, and the report says why.
  @Test func severalAndOneFails() throws {
    let farm = try SampleFarm(faults: ["fail=acme-gpu"])
    let ended = try job(farm, ["MACHINE": "acme-board64, acme-board7", "hostOSBlocks": "acme-gpu:acme-diagnostics"], ["--slots", "2"]).wait()
    #expect(ended.status == 1, "\(ended)")
    try expectNoToken(ended, farm)
    let found = files(deployed(farm))
    let expected: Set<String> = [
      "acme-board7/device-type.json", "acme-board7/images/balena-image-acme-board7.balenaos-img", "acme-board64/logs/attempt-1.log", "junit.xml",
    ]
    #expect(expected.subtracting(found).isEmpty)
    #expect(!found.contains("acme-board64/device-type.json"))
    #expect(try junit(farm, "string(//testsuite[@name='acme-board64']/testcase[failure]/@name)") == "feed")
    #expect(try junit(farm, "string(//failure/@message)").contains("recipe acme-gpu-5.2-r0 failed in do_compile"))
    #expect(try junit(farm, "string(//failure)").contains("the miniature was told to fail here"), "the last lines of the log")
    #expect(try junit(farm, "string(//testsuite[@name='acme-board7']/@failures)") == "0")
    let logs = try junit(farm, "string(//failure)").split(separator: "\n").filter { $0.hasPrefix("log: ") }.map { String($0.dropFirst(5)) }
    #expect(logs.count == 2 && found.isSuperset(of: logs), "the console's log and that of the failed task lie where the report says: \(logs)")
    #expect(try index(farm)["blames"].items.map(\.text) == ["repository"])
    try expectValidJUnit(farm)
  }

  /// Without a request there is a document all the same, which says whose fault that is.
  @Test func anotherWorksWithTheState() throws {
    let farm = try SampleFarm()
    try farm.write("", to: "state/engine.lock")
    // As blockfarm locks it: by the open file, not by the process.
    let hold = """
      import fcntl, struct, sys, time
      file = open(sys.argv[1], "r+")
      fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
      print("held", file=sys.stderr, flush=True)
      time.sleep(60)
      """
    let holder = try Child(
      OrdinaryUser.words + ["/usr/bin/python3", "-c", hold, farm.directory + "/state/engine.lock"], environment: SampleFarm.environment(home: "/"),
      directory: "/")
    try holder.waitFor("held")
    let ended = try job(farm, ["MACHINE": "acme-board7"], ["--local"]).wait()
    holder.signal(SIGKILL)
    _ = holder.wait()
    #expect(ended.status == 3, "\(ended)")
    let document = try index(farm)
    #expect(document["blames"].items.map(\.text) == ["coordinator"] && document["request"].isNull)
    #expect(document["reason"].text?.contains("another blockfarm works with the state") == true)
  }

  /// Jenkins aborts a build with SIGTERM.
  @Test func aborted() throws {
    let farm = try SampleFarm(faults: ["hang=1"])
    let build = try job(farm, ["MACHINE": "acme-board7", "hostOSBlocks": "acme-diagnostics"], ["--local"])
    try build.waitFor("acme-board7: feed …")
    build.signal(SIGTERM)
    let ended = build.wait()
    #expect(ended.status == 130, "\(ended)")
    #expect(farm.processes().isEmpty, "a process is left on the worker's side")
    #expect(try junit(farm, "string(//error/@type)") == "request.cancelled")
    try expectNoToken(ended, farm)
  }

  /// A run that was killed hard is ended afterwards, even where the token is not bound any more.
  @Test func killed() throws {
    let farm = try SampleFarm(faults: ["hang=1"])
    let variables = ["MACHINE": "acme-board7", "hostOSBlocks": "acme-diagnostics", "deploy": "yes"]
    let build = try job(farm, variables.merging(["deploy": "no"]) { _, new in new })
    try build.waitFor("acme-board7: feed …")
    build.signal(SIGKILL)
    _ = build.wait()
    #expect(!farm.processes().isEmpty, "the attempt goes on without its coordinator")
    let cancel = try job(farm, variables, ["--cancel"]).wait()
    #expect(cancel.status == 0, "\(cancel)")
    #expect(cancel.output.contains("ended acme-board7 on local"))
    #expect(farm.processes().isEmpty, "a process is left on the worker's side")
    #expect(try junit(farm, "string(//testsuite[@name='acme-board7']/testcase/error/@type)") == "request.cancelled")
    #expect(try Double(junit(farm, "string(//testsuite/@time)")) ?? 0 > 0)
    try expectValidJUnit(farm)
    #expect(files(deployed(farm)).isSuperset(of: ["index.json", "logs/attempt-1.log"]))
    let report = try index(farm).deviceType("acme-board7")
    #expect(report["outcome"].text == "cancelled" && report["version"].text == "6.1.24+rev3" && report["blame"].text == "request")
    // Once more there is nothing to end, and the report stays.
    let again = try job(farm, variables, ["--cancel"]).wait()
    #expect(again.status == 0 && again.output.contains("no run of this job was left unfinished"), "\(again)")
    try expectValidJUnit(farm)
  }

  @Test func refusals() throws {
    let farm = try SampleFarm()
    func refused(_ name: String, _ variables: [String: String]) throws {
      let ended = try job(farm, variables).wait()
      #expect(ended.status == 2, "\(ended)")
      #expect(ended.output.isEmpty)
      try Golden.check(name, ended.errors, farm: farm)
      try expectNoToken(ended, farm)
      #expect(try farm.requests().isEmpty)
      #expect(farm.processes().isEmpty)
      #expect(!FileManager.default.fileExists(atPath: deployed(farm)))
    }
    try refused("jenkins-typing-mistakes", ["MACHINE": "acme-board7", "deploy": "maybe", "hostOSBlock": "acme-gpu", "final": "yes"])
    try refused("jenkins-unknown-device-type", ["MACHINE": "acme-bord7"])
    try refused("jenkins-no-meta-balena", ["MACHINE": "acme-board7", "metaBalenaBranch": "master"])
    try refused("jenkins-no-workspace", ["MACHINE": "acme-board7", "WORKSPACE": farm.directory + "/gone"])
  }

  /// By the account that the old jobs logged in with: what a token of the environment cannot do is done, too.
  @Test func publishesWithTheAccountOfOld() async throws {
    var configuration = TestCloudConfiguration()
    configuration.isStrict = true
    configuration.deviceTypes.append(.init("acme-board7", "armv7hf"))
    try await withTestCloud(configuration) { cloud in
      let farm = try SampleFarm(extra: "environments: {staging: {api: \"\(cloud.url)\"}}\n")
      let admin = cloud.accounts.admin
      let variables = [
        "MACHINE": "acme-board7", "hostOSBlocks": "acme-diagnostics", "deploy": "yes", "final": "yes", "deployTo": "staging",
        "BALENAOS_STAGING_TOKEN": "", "balenaCloudEmail": admin.email,
      ]
      let wrong = variables.merging([
        "balenaCloudPassword": Self.token, "STAGING_S3_ACCESS_KEY": "access", "STAGING_S3_SECRET_KEY": Self.token,
      ]) { $1 }
      let refused = try job(farm, wrong, ["--local"]).wait()
      #expect(refused.status == 2, "\(refused)")
      #expect(refused.errors.contains("cloud 'staging': \(cloud.url) does not accept the login"), "\(refused.errors)")
      #expect(refused.errors.contains("goes to the bucket resin-staging-img, too: the job has its keys"), "\(refused.errors)")
      try expectNoToken(refused, farm)
      #expect(try farm.requests().isEmpty)

      let ended = try job(farm, variables.merging(["balenaCloudPassword": admin.password]) { $1 }, ["--local"]).wait()
      #expect(ended.status == 0, "\(ended)")
      #expect(!ended.output.contains(admin.password) && !ended.errors.contains(admin.password))
      let isHost = await cloud.engine.edit { state in
        state.database.rows("application").filter { $0["slug"].string == "balena_os/acme-board7" }.map { $0["is_host"].bool ?? false }
      }
      #expect(isHost == [true])
      // What farm.yaml says needs no variable, and is not overridden by one.
      let configured = try SampleFarm(
        extra: "environments: {staging: {api: \"\(cloud.url)\", login: {username: \(admin.username), password: \"env:MINE\"}}}\n")
      let own = variables.merging(["balenaCloudEmail": "", "final": "no", "MINE": admin.password]) { $1 }
      let again = try job(configured, own, ["--local"]).wait()
      #expect(again.status == 0, "\(again)")
    }
  }

  /// Another meta-balena than the pinned one is built where it is a submodule, marked as no release; the checkout stays as it is.
  @Test func otherMetaBalena() throws {
    let farm = try SampleFarm()
    let origin = farm.directory + "/meta-balena"
    try farm.makeMetaBalenaSubmodule(origin: origin)
    let variables = ["MACHINE": "acme-board7", "hostOSBlocks": "acme-diagnostics", "metaBalenaBranch": "pr/7"]
    let ended = try job(farm, variables, ["--local"]).wait()
    #expect(ended.status == 0, "\(ended)")
    #expect(ended.errors.contains("submodule layers/meta-balena is built at pr/7"))
    #expect(try junit(farm, "string(//system-out)").contains("not a release: layers/meta-balena is built at pr/7"))
    let packed = try Child(
      ["tar", "--list", "--file", deployed(farm) + "/tests.tar.gz"], environment: SampleFarm.environment(home: "/"), directory: "/"
    ).wait()
    #expect(packed.output.contains("tests/of-the-pull-request"), "\(packed)")
    #expect(try farm.git("status", "--porcelain", "--ignore-submodules=none").isEmpty)
    #expect(try farm.git("-C", "layers/meta-balena", "for-each-ref").contains("pull") == false)

    let unknown = try job(farm, ["MACHINE": "acme-board7", "metaBalenaBranch": "maser"], ["--local"]).wait()
    #expect(unknown.status == 2)
    #expect(unknown.errors.contains("the remote of layers/meta-balena has no branch, tag or pull request 'maser'; known: master"), "\(unknown)")
  }
}

extension SampleFarm {
  /// Makes meta-balena a submodule of the arm checkout, with a pull request 7 in its remote that adds a test.
  fileprivate func makeMetaBalenaSubmodule(origin: String) throws {
    let script = """
      set -e
      mv checkouts/balena-acme-arm/layers/meta-balena meta-balena
      cd meta-balena
      git init --quiet --initial-branch master
      git add --all && git commit --quiet --message pinned
      git checkout --quiet -b work
      echo new >tests/of-the-pull-request && git add --all && git commit --quiet --message pull
      git update-ref refs/pull/7/head HEAD
      git checkout --quiet master && git branch --quiet --delete --force work
      cd ../checkouts/balena-acme-arm
      git rm --quiet -r --cached layers/meta-balena
      git -c protocol.file.allow=always submodule --quiet add "$1" layers/meta-balena
      """
    let made = try Child(
      OrdinaryUser.words + ["sh", "-c", script, "sh", origin], environment: Self.environment(home: directory), directory: directory
    ).wait()
    try #require(made.status == 0, "\(made)")
    try commit()
  }
}
