import CoordinatorConfiguration
import Testing

@testable import Cloud
@testable import FarmService

/// Opening an environment: what cannot work is refused before anything is built.
struct CloudSessionTests {
  static let secrets = ["TOKEN": "t0ken", "KEY": "access", "SECRET": "s3cr3t"]

  private func environment(_ change: (inout CloudEnvironment.ObjectStorage) -> Void = { _ in }) -> CloudEnvironment {
    var storage = CloudEnvironment.ObjectStorage(
      endpoint: "http://minio.lab:9000", bucket: "images", region: "us-east-1", accessKey: .environment("KEY"), secretKey: .environment("SECRET"))
    change(&storage)
    return CloudEnvironment(name: "lab", api: "https://api.lab", token: .environment("TOKEN"), storage: storage)
  }

  private func session(_ environment: CloudEnvironment, _ purpose: CloudSession.Purpose = .publishing) throws -> CloudSession {
    try CloudSession(environment, for: purpose, registries: [], variables: Self.secrets)
  }

  private func complaint(_ work: () throws -> some Any) -> String {
    do {
      _ = try work()
      return "nothing"
    } catch { return "\(error)" }
  }

  @Test func refusesABucketWithoutTLSAtOnce() throws {
    let said = complaint { try session(environment()) }
    #expect(
      said == "the storage of environment 'lab' is at http://minio.lab:9000, and plain http is not allowed; use https, or write in farm.yaml: "
        + "environments: {lab: {storage: {plainHTTP: true}}}")
    // That the API may be spoken to so says nothing about the bucket.
    var plain = environment()
    plain.allowsPlainHTTP = true
    #expect(complaint { try session(plain) } == said)
    // Who only reads or finalizes has no use for the bucket, nor for its keys.
    for purpose in [CloudSession.Purpose.reading, .changing] { #expect(try session(environment(), purpose).storage == nil) }
    #expect(try session(environment { $0.endpoint = "http://127.0.0.1:9000" }).storage != nil)
    #expect(complaint { try session(environment { ($0.endpoint, $0.secretKey) = ("https://s3.lab", .environment("NONE")) }) }.hasPrefix("env:NONE"))
  }

  @Test func theBucketHasItsOwnAuthoritiesAndHosts() throws {
    var environment = environment { ($0.allowsPlainHTTP, $0.authorities) = (true, "/s3.pem") }
    environment.authorities = "/api.pem"
    let session = try session(environment)
    let (bucket, api) = (try #require(session.storage).http.settings, session.target.client.http.settings)
    #expect(bucket.authorities == "/s3.pem" && api.authorities == "/api.pem")
    #expect(bucket.allowsPlain("minio.lab") && !api.allowsPlain("minio.lab"))
  }
}
