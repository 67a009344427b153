import BuildModel
import CoordinatorConfiguration
import FoundationEssentials
import TestFiles
import Testing

/// The `environments` of farm.yaml and where their secrets are.
struct EnvironmentTests {
  func load(_ farm: String) throws -> FarmConfiguration { try FarmConfigurationTests().load(farm) }
  func complaint(_ work: () throws -> some Any) -> String {
    do {
      _ = try work()
      return "nothing"
    } catch { return "\(error)" }
  }

  @Test func readsEverything() throws {
    let farm = try load(
      """
      environments:
        staging: {token: "env:STAGING_TOKEN", team: OS Devs}
        lab:
          api: http://127.0.0.1:8080
          organization: lab
          token: file:secrets/lab
          team: crew
          role: operator
          storage: {bucket: images, accessKey: "env:KEY", secretKey: "env:SECRET"}
        minio:
          api: https://api.lab
          storage:
            {endpoint: "http://minio.lab:9000", bucket: images, accessKey: "env:KEY", secretKey: "env:SECRET", plainHTTP: true, authorities: s3.pem}
      """)
    let staging = try farm.cloud(named: "staging")
    #expect(staging.api == "https://api.balena-staging.com")
    #expect(staging.organization == "balena_os")
    #expect(staging.token == .environment("STAGING_TOKEN"))
    #expect(staging.role == "developer")
    let lab = try farm.cloud(named: "lab")
    #expect(lab.organization == "lab")
    #expect(lab.token?.description.hasSuffix("/secrets/lab") == true)
    #expect(lab.storage?.endpoint == "https://s3.us-east-1.amazonaws.com")
    #expect(lab.storage?.allowsPlainHTTP == false && lab.storage?.authorities == nil)
    // What is said about the bucket is not said about the API.
    let minio = try farm.cloud(named: "minio")
    #expect(minio.storage?.allowsPlainHTTP == true && minio.storage?.authorities?.hasSuffix("/s3.pem") == true)
    #expect(!minio.allowsPlainHTTP && minio.authorities == nil)
    #expect(try farm.cloud(named: "http://127.0.0.1:8080") == lab)
  }

  @Test func readsRegistries() throws {
    let farm = try load(
      """
      environments: {lab: {api: "http://api.lab", plainHTTP: true, authorities: ca.pem}}
      registries:
        Registry.example.org: {username: robot, password: "env:PASSWORD"}
        "registry.lab:5000": {plainHTTP: true, authorities: certificates/lab.pem, tokenService: "https://auth.lab"}
      """)
    let lab = try farm.cloud(named: "lab")
    #expect(lab.allowsPlainHTTP && lab.authorities?.hasSuffix("/ca.pem") == true)
    #expect(farm.registries.map(\.name) == ["registry.example.org", "registry.lab:5000"])
    #expect(farm.registries[0].account == .init(username: "robot", password: .environment("PASSWORD")))
    #expect(farm.registries[1].allowsPlainHTTP && farm.registries[1].authorities?.hasSuffix("/certificates/lab.pem") == true)
    #expect(farm.registries.map(\.tokenService) == [nil, "https://auth.lab"])
    for (text, reason) in [
      ("a/b: {}", "'a/b' is not a registry"), ("a: {username: me}", "needs 'username' and 'password', or neither"),
      ("a: {username: me, password: hidden}", "a secret is named by env:NAME or file:PATH and never written here"),
      ("a: {tokenService: 'https://me:hidden@auth.lab'}", "an address with a password is not http(s)://host"),
      ("a: {}, A: {}", "registry 'A' is given twice"), ("a: {tokenService: 'auth.lab/token'}", "http(s)://host or http(s)://host:port"),
    ] {
      let said = complaint { try load("registries: {\(text)}") }
      #expect(said.contains(reason) && !said.contains("hidden"), "\(said)")
    }
  }

  @Test func readsLogins() throws {
    let farm = try load(
      """
      environments:
        staging: {login: {username: builder@example.org, password: "env:PASSWORD"}}
        production: {login: {username: "env:NAME", password: file:secrets/password}}
      """)
    let staging = try farm.cloud(named: "staging")
    #expect(staging.token == nil && staging.hasCredential)
    #expect(staging.login == .init(username: .plain("builder@example.org"), password: .environment("PASSWORD")))
    let production = try #require(try farm.cloud(named: "production").login)
    #expect(try production.username.read(environment: ["NAME": "builder"]) == "builder")
    #expect(production.password.description.hasSuffix("/secrets/password"))
    for (text, reason) in [
      ("{token: 'env:A', login: {username: a, password: 'env:B'}}", "cloud 'staging' has 'token' and 'login': give one of them"),
      ("{login: {username: a}}", "login needs 'username' and 'password'"),
      ("{login: {username: a, password: s3cr3t}}", "a secret is named by env:NAME or file:PATH"),
      ("{login: {username: 'env:1', password: 'env:B'}}", "a secret is named by env:NAME or file:PATH"),
    ] {
      let said = complaint { try load("environments: {staging: \(text)}") }
      #expect(said.contains(reason) && !said.contains("s3cr3t"), "\(said)")
    }
  }

  /// People choose them, where programs make tokens.
  @Test func passwordsMayHoldAnything() throws {
    let source = CredentialSource.environment("P")
    #expect(try source.readPassword(environment: ["P": " correct hörse \"battery\" \r\n"]) == " correct hörse \"battery\" ")
    for wrong in ["\n", "tab\tsecret"] { #expect(complaint { try source.readPassword(environment: ["P": wrong]) }.contains("secret") == false) }
    #expect(complaint { try source.readPassword(environment: ["P": "tab\tsecret"]) }.contains("it is no password"))
  }

  @Test func predefinedOnesHaveNoToken() throws {
    let farm = try load("")
    #expect(try farm.cloud(named: "production").api == "https://api.balena-cloud.com")
    #expect(try farm.cloud(named: "production").token == nil)
    #expect(try farm.cloud(named: "https://api.example.org").token == nil)
  }

  @Test func refusesToDeploySomewhereByDefault() throws {
    let farm = try load("environments: {lab: {api: 'https://api.lab.example'}}")
    #expect(complaint { try farm.cloud(named: nil) }.hasSuffix("deploying needs an explicit cloud: --env lab|production|staging|<url>"))
    #expect(complaint { try farm.cloud(named: "produktion") } == "--env: unknown cloud 'produktion'; known: production, or a URL")
    #expect(complaint { try farm.cloud(named: "https://a/b") }.contains("is not http(s)://host"))
  }

  @Test(arguments: [
    ("environments: {x: {token: 'env:A'}}", "cloud 'x' needs 'api', the API's address"),
    ("environments: {x: {api: 'api.example.org'}}", "'api.example.org' is not http(s)://host or http(s)://host:port"),
    ("environments: {staging: {tokn: a}}", "unknown key 'tokn' in a cloud"),
    ("environments: {staging: {storage: {bucket: b}}}", "storage needs 'accessKey'"),
  ])
  func refuses(farm: String, reason: String) {
    #expect(complaint { try load(farm) }.contains(reason))
  }

  @Test func neverRepeatsASecretThatWasWrittenIntoTheFile() {
    let text = complaint { try load("environments: {staging: {token: s3cr3tt0ken}}") }
    #expect(text.contains("env:NAME or file:PATH"))
    #expect(!text.contains("s3cr3tt0ken"))
  }

  @Test func readsSecretsFromOwnFilesOnly() throws {
    try withScratchDirectory { scratch in
      let path = scratch + "/secret"
      try Data("abc123\n".utf8).write(to: URL(filePath: path))
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
      let source = try #require(CredentialSource("file:" + path, directory: "/", home: "/"))
      #expect(try source.read(environment: [:]) == "abc123")
      try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
      #expect(complaint { try source.read(environment: [:]) }.contains("mode 0600"))
      let variable = CredentialSource.environment("T")
      #expect(try variable.read(environment: ["T": "x.y.z"]) == "x.y.z")
      #expect(complaint { try variable.read(environment: [:]) } == "env:T: the variable is not set")
      #expect(complaint { try variable.read(environment: ["T": "a b-secret"]) }.contains("secret") == false)
    }
  }
}
