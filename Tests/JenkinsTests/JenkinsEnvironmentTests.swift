import Foundation
import Jenkins
import Testing

/// What a job's variables mean.
struct JenkinsEnvironmentTests {
  private func parse(_ variables: [String: String]) throws -> JenkinsJob {
    try JenkinsEnvironment.parse(["MACHINE": "raspberrypi4-64"].merging(variables) { $1 })
  }

  private func problems(_ variables: [String: String]) -> [String] {
    do {
      _ = try parse(variables)
      return []
    } catch {
      return (error as? JenkinsError)?.problems ?? ["\(error)"]
    }
  }

  @Test func leftEmptyMeansNothing() throws {
    let names = ["hostOSBlocks", "deploy", "final", "deployTo", "ESR", "WORKSPACE", "YOCTO_DIR", "metaBalenaBranch", "supervisorVersion", "VERBOSE"]
    let job = try parse(Dictionary(uniqueKeysWithValues: names.map { ($0, "") }))
    #expect(job == (try parse([:])))
    #expect(job.machines == .named(["raspberrypi4-64"]))
    #expect(job.isSingle)
    #expect(job.blocks == nil && job.deployment == nil && job.workspace == nil && job.sharedDirectory == nil)
    #expect(job.metaBalenaRef == nil && job.supervisorVersion == nil)
    #expect(!job.isESR && !job.isDevelopment && !job.isVerbose && job.notices.isEmpty)
  }

  @Test func everythingAtOnce() throws {
    let job = try parse([
      "MACHINE": "a, b:c a\nd", "hostOSBlocks": "gpu:wireless,diag more", "deploy": "yes", "final": "no", "deployTo": "staging", "ESR": "true",
      "WORKSPACE": "/srv/jobs/x", "YOCTO_DIR": "/srv/yocto", "metaBalenaBranch": "pull/12/head", "supervisorVersion": "v12.11.0-a_b+c",
      "OS_DEVELOPMENT": "true", "VERBOSE": "verbose", "BALENAOS_STAGING_TOKEN": "s3cret", "NAMESPACE": "resin", "PACKAGE_TYPE": "ipk",
    ])
    #expect(job.machines == .named(["a", "b", "c", "d"]))
    #expect(!job.isSingle)
    #expect(job.blocks == .named(["gpu", "wireless", "diag", "more"]))
    #expect(job.deployment?.cloud == .staging)
    #expect(job.deployment?.isFinal == false)
    #expect(job.isESR && job.isDevelopment && job.isVerbose)
    #expect(job.workspace == "/srv/jobs/x")
    #expect(job.sharedDirectory == "/srv/yocto")
    #expect(job.metaBalenaRef == "pull/12/head")
    #expect(job.supervisorVersion?.text == "v12.11.0-a_b+c")
    #expect(job.notices == ["NAMESPACE has no effect: there are no helper containers"])
    #expect(!String(reflecting: job).contains("s3cret"))
  }

  @Test func all() throws {
    let job = try parse(["MACHINE": " all ", "hostOSBlocks": "all"])
    #expect(job.machines == .all)
    #expect(job.blocks == .all)
    #expect(!job.isSingle)
  }

  @Test func pinned() throws {
    let job = try parse(["metaBalenaBranch": "__ignore__", "supervisorTag": "__ignore__"])
    #expect(job.metaBalenaRef == nil && job.supervisorVersion == nil)
    let former = try parse(["metaResinBranch": "master", "supervisorTag": "v10", "metaBalenaBranch": "__ignore__"])
    #expect(former.metaBalenaRef == "master" && former.supervisorVersion?.text == "v10")
  }

  @Test func flavour() throws {
    #expect(try parse(["buildFlavor": "dev"]).isDevelopment)
    #expect(try !parse(["buildFlavor": "prod", "OS_DEVELOPMENT": "false"]).isDevelopment)
  }

  static let complaints: [(variables: [String: String], says: [String])] = [
    (["MACHINE": ""], ["MACHINE is not set: name device types (blanks, commas or colons between them), or 'all'"]),
    (["MACHINE": " , "], ["MACHINE= , : names no device type"]),
    (["MACHINE": "../x"], ["MACHINE=../x: '../x' is not a device type's name"]),
    (["MACHINE": "all a"], ["MACHINE=all a: 'all' stands alone or not at all"]),
    (["hostOSBlocks": "a:-b"], ["hostOSBlocks=a:-b: '-b' is not a block's name"]),
    (["deploy": "maybe"], ["deploy=maybe: must be yes or no"]),
    (["deploy": "yes"], ["deploy=yes needs deployTo: staging or production"]),
    (
      ["deploy": "yes", "deployTo": "production"],
      [
        "deploy=yes to production needs a token in BALENAOS_PRODUCTION_TOKEN, or an account in balenaCloudEmail and balenaCloudPassword"
      ]
    ),
    (
      ["deploy": "yes", "deployTo": "staging", "balenaCloudPassword": "s3cret", "STAGING_S3_ACCESS_KEY": "s3cret"],
      [
        "balenaCloudPassword is set and balenaCloudEmail is not: both or neither",
        "STAGING_S3_ACCESS_KEY is set and STAGING_S3_SECRET_KEY is not: both or neither",
      ]
    ),
    (["balenaCloudEmial": "s3cret"], ["balenaCloudEmial is no variable of a job; did you mean balenaCloudEmail?"]),
    (["deploy": "no", "deployTo": "stagging"], ["deployTo=stagging: must be staging or production"]),
    (["final": "yes"], ["final=yes needs deploy=yes: there is no release to finalize"]),
    (
      ["final": "yes", "deploy": "yes", "deployTo": "staging", "BALENAOS_STAGING_TOKEN": "t", "metaBalenaBranch": "master"],
      ["final=yes contradicts another meta-balena than the pinned one: such a build is no release"]
    ),
    (
      ["metaBalenaBranch": "--upload-pack=x"],
      ["metaBalenaBranch=--upload-pack=x: is not a branch, tag, pull request or commit; '__ignore__' stands for the pinned one"]
    ),
    (["metaBalenaBranch": "a..b"], ["metaBalenaBranch=a..b: is not a branch, tag, pull request or commit; '__ignore__' stands for the pinned one"]),
    (["metaBalenaBranch": "a", "metaResinBranch": "b"], ["metaBalenaBranch=a contradicts metaResinBranch=b"]),
    (["supervisorVersion": "v1 -x"], ["supervisorVersion=v1 -x: is not a version; '__ignore__' stands for the pinned one"]),
    (["OS_DEVELOPMENT": "false", "buildFlavor": "dev"], ["OS_DEVELOPMENT=false contradicts buildFlavor=dev"]),
    (["buildFlavor": "debug"], ["buildFlavor=debug: must be prod or dev"]),
    (["VERBOSE": "very"], ["VERBOSE=very: must be verbose, yes or no"]),
    (["YOCTO_DIR": "/srv/my yocto"], ["YOCTO_DIR=/srv/my yocto: can have neither blanks nor '..'"]),
    (["WORKSPACE": "here"], ["WORKSPACE=here: must be an absolute path"]),
    (["PACKAGE_TYPE": "deb"], ["PACKAGE_TYPE=deb: only ipk feeds are built"]),
    (["ENABLE_TESTS": "true"], ["ENABLE_TESTS=true: the repository's tests are not run by blockfarm; run them on the delivered image"]),
    (["AMI": "true"], ["AMI=true: machine images for AWS are not made by blockfarm"]),
    (["hostOSBlock": "a"], ["hostOSBlock is no variable of a job; did you mean hostOSBlocks?"]),
    (["hostosblocks": "a"], ["hostosblocks is no variable of a job; did you mean hostOSBlocks?"]),
    (["FINAL": "yes"], ["FINAL is no variable of a job; did you mean final?"]),
    (["metaBalenaBrnach": "a"], ["metaBalenaBrnach is no variable of a job; did you mean metaBalenaBranch?"]),
    (
      ["MACHINE": "", "MACHINES": "a", "deploy": "1", "ESR": "x"],
      [
        "MACHINE is not set: name device types (blanks, commas or colons between them), or 'all'", "deploy=1: must be yes or no",
        "ESR=x: must be yes or no", "MACHINES is no variable of a job; did you mean MACHINE?",
      ]
    ),
  ]

  @Test(arguments: complaints) func refuses(_ case: (variables: [String: String], says: [String])) {
    #expect(problems(`case`.variables) == `case`.says)
  }

  /// Names that an agent's environment has anyway.
  @Test func otherVariablesAreLeftAlone() throws {
    let names = """
      PATH HOME USER LANG SHELL PWD MACHTYPE HOSTTYPE OSTYPE TERM TZ LOGNAME HUDSON_HOME JENKINS_HOME JENKINS_URL BUILD_NUMBER BUILD_ID BUILD_TAG \
      JOB_NAME JOB_URL NODE_NAME NODE_LABELS EXECUTOR_NUMBER WORKSPACE_TMP GIT_BRANCH GIT_COMMIT GIT_URL CI JAVA_HOME DEPLOY_ENV VERSION \
      CHANGE_ID BRANCH_NAME STAGE_NAME RUN_DISPLAY_URL SSH_AUTH_SOCK balenadevicesDockerhubPassword AMI_IMAGE_TYPE
      """.split(separator: " ").map(String.init)
    _ = try parse(Dictionary(uniqueKeysWithValues: names.map { ($0, "x") }))
  }

  /// Who publishes: the cloud's token first. A job that cannot publish does not care for half of a pair.
  @Test func credentials() throws {
    let deploy = ["deploy": "yes", "deployTo": "staging"]
    let login = ["balenaCloudEmail": "a@b", "balenaCloudPassword": "s3cret"]
    func credential(
      _ variables: [String: String], _ configured: JenkinsEnvironment.Configured = .init()
    ) throws -> JenkinsJob.Deployment.Credential? {
      let variables = deploy.merging(variables) { $1 }.merging(["MACHINE": "a"]) { $1 }
      return try #require(try JenkinsEnvironment.parse(variables, configured: [.staging: configured]).deployment).credential
    }
    #expect(try credential(login) == .login)
    #expect(try credential(login.merging(["BALENAOS_STAGING_TOKEN": "t"]) { $1 }) == .token)
    #expect(try credential(["BALENAOS_STAGING_TOKEN": "t", "balenaCloudEmail": "a@b"]) == .token)
    // The token of the other environment is none.
    #expect(try credential(login.merging(["BALENAOS_PRODUCTION_TOKEN": "t"]) { $1 }) == .login)
    #expect(try credential([:], .init(hasCredential: true)) == nil)
    #expect(try credential(login, .init(hasCredential: true)) == nil)
    #expect(problems(["balenaCloudEmail": "a@b", "STAGING_S3_SECRET_KEY": "s3cret"]).isEmpty)
  }

  /// Keys of the bucket count for their own environment, and only where the configuration names no bucket.
  @Test func storageKeys() throws {
    let keys = ["STAGING_S3_ACCESS_KEY": "k", "STAGING_S3_SECRET_KEY": "s3cret", "BALENAOS_STAGING_TOKEN": "t", "BALENAOS_PRODUCTION_TOKEN": "t"]
    func hasKeys(_ environment: String, hasStorage: Bool = false, without name: String? = nil) throws -> Bool {
      let variables = keys.merging(["MACHINE": "a", "deploy": "yes", "deployTo": environment]) { $1 }.filter { $0.key != name }
      let job = try JenkinsEnvironment.parse(variables, configured: [.staging: .init(hasStorage: hasStorage)])
      #expect(!String(reflecting: job).contains("s3cret"))
      return try #require(job.deployment).hasStorageKeys
    }
    #expect(try hasKeys("staging"))
    #expect(try !hasKeys("production"))
    #expect(try !hasKeys("staging", hasStorage: true))
    #expect(try !hasKeys("staging", hasStorage: true, without: "STAGING_S3_SECRET_KEY"))
    #expect(JenkinsJob.Deployment.Cloud.allCases.map(\.bucket) == ["resin-staging-img", "resin-production-img-cloudformation"])
  }

  /// A misspelt name beside the right one is somebody else's variable.
  @Test func aNameBesideTheRightOne() throws {
    #expect(problems(["DEPLOY_TO": "staging", "deployTo": "staging"]).isEmpty)
    #expect(problems(["DEPLOY_TO": "staging"]) == ["DEPLOY_TO is no variable of a job; did you mean deployTo?"])
  }

  @Test func noTokenInComplaints() {
    let error = problems(["BALENAOS_STAGING_TOKEN": "s3cret", "deploy": "maybe", "BALENAOS_PRODUCTION_TOKN": "s3cret"])
    #expect(error.count == 2)
    #expect(!error.joined().contains("s3cret"))
  }
}
