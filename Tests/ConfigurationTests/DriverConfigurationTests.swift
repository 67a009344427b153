import BuildModel
import CoordinatorConfiguration
import Testing

/// `driver:` of a repository, right and wrong.
struct DriverConfigurationTests {
  private let farm = FarmConfigurationTests()

  private func driver(_ yaml: String) throws -> TaskSpec.Driver {
    try #require(try farm.load("repositories:\n  - source: a\n    driver: \(yaml)\n").repositories.first?.driver)
  }

  @Test func namesAloneAreEnough() throws {
    #expect(try driver("barys") == .barys)
    #expect(try driver("{barys: {}}") == .barys)
    #expect(try driver("balena-build") == .balenaBuild(settings: .init()))
    #expect(try farm.load("repositories:\n  - source: a").repositories.first?.driver == .barys)
  }

  @Test func balenaBuildHasSettings() throws {
    #expect(
      try driver("{balena-build: {apiEnvironment: balena-staging.com, arguments: [-a, X=1], keepHelperImages: false}}")
        == .balenaBuild(settings: .init(apiEnvironment: "balena-staging.com", arguments: ["-a", "X=1"], keepsHelperImages: false)))
  }

  @Test func aCommandIsReadWhole() throws {
    let yaml = """

            command: [./build.sh, "--machine={machine}", "{targets}"]
            variables: [./build.sh, "--machine={machine}", --environment]
            packageIndex: [./build.sh, --index]
            success: "Build for {machine} done"
            environment: {DL_DIR: "{downloads}", LEVEL: 3}
            features: [docker, kvm]
      """
    #expect(
      try driver(yaml)
        == .command(
          settings: .init(
            build: try CommandTemplate(["./build.sh", "--machine={machine}", "{targets}"]),
            architectures: .printed(by: try CommandTemplate(["./build.sh", "--machine={machine}", "--environment"])),
            index: .command(try CommandTemplate(["./build.sh", "--index"])), success: try CommandTemplate.Word("Build for {machine} done"),
            environment: ["DL_DIR": try CommandTemplate.Word("{downloads}"), "LEVEL": try CommandTemplate.Word("3")], features: [.docker, .kvm])))
    guard case .command(let fixed) = try driver("{command: [x, '{targets}'], packageArchitectures: [all, any], packageIndex: []}") else {
      Issue.record("no command")
      return
    }
    #expect(fixed.architectures == .fixed(["all", "any"]) && fixed.index == .withBuild && fixed.success == nil)
  }

  @Test(arguments: [
    ("make", "'make' is not a driver; known are barys, balena-build, command"), ("[a]", "a driver's name or a mapping of its settings is expected"),
    ("command", "the driver 'command' needs its words"), ("{barys: {x: 1}}", "unknown key 'x' in the driver 'barys'"),
    ("{balena-build: {token: secret}}", "unknown key 'token' in the driver 'balena-build'; known are apiEnvironment, arguments, keepHelperImages"),
    ("{balena-build: {arguments: ['-a X=1']}}", "'-a X=1' is not one word: the script splits at blanks"),
    ("{balena-build: {apiEnvironment: 'a b'}}", "'a b' is not a host name"), ("{balena-build: {keepHelperImages: yes please}}", "true or false"),
    ("{balena-build: {}, command: [x]}", "unknown key 'command' in a driver; known are balena-build"),
    ("{command: [x, '{targets}'], barys: {}, packageArchitectures: [all]}", "a repository has one driver: 'command' or 'barys'"),
    ("{variables: [x]}", "a driver is one of barys, balena-build, command"), ("{comand: [x]}", "unknown key 'comand' in a driver"),
    ("{command: [x], packageArchitectures: [all]}", "the command must have {targets}"),
    ("{command: [x, '{target}'], packageArchitectures: [all]}", "'{target}' has an unknown placeholder; known are {machine}"),
    ("{command: [x, {targets}], packageArchitectures: [all]}", "words that begin with '{' need quotes"),
    ("{command: [x, '{targets}']}", "needs 'variables' (a command that prints what bitbake -e prints) or 'packageArchitectures'"),
    ("{command: [x, '{targets}'], variables: [x], packageArchitectures: [all]}", "'packageArchitectures' is given beside 'variables'"),
    ("{command: [x, '{targets}'], packageArchitectures: [all, all]}", "each once"),
    ("{command: [x, '{targets}'], packageArchitectures: [../x]}", "'../x' is not the name of a package architecture"),
    ("{command: [x, '{targets}'], packageArchitectures: [all], environment: {BLOCKFARM_X: 1}}", "'BLOCKFARM_X' cannot be set"),
    ("{command: ['{tree}/x', '{targets}'], packageArchitectures: [all]}", "names the program"),
  ])
  func complaintsNameFileAndLine(_ yaml: String, _ reason: String) {
    let error = #expect(throws: ConfigurationError.self) { try farm.load("repositories:\n  - source: a\n    driver: \(yaml)\n") }
    #expect(error?.file.hasSuffix("/farm.yaml") == true && error?.line == 3)
    #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
  }
}
