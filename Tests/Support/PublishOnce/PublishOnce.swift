import Balena
import BlobStore
import BuildModel
import FoundationEssentials
import HTTP
import Publishing
import PublishingSupport
import Registry
import Releases
import Store

/// Publishes the sample device type once and ends; for tests that kill it.
///
/// `publish-once API DIRECTORY MODE SEED`: state and blobs are below DIRECTORY, the token is in BLOCKFARM_TOKEN.
@main
enum PublishOnce {
  static func main() async throws {
    let arguments = CommandLine.arguments
    let environment = ProcessInfo.processInfo.environment
    guard arguments.count == 5, let mode = PublishMode(rawValue: arguments[3]), let seed = UInt8(arguments[4]),
      let token = environment["BLOCKFARM_TOKEN"].map({ Secret($0) })
    else { fatalError("usage: publish-once API DIRECTORY draft|final SEED") }
    var sample = SamplePublication()
    sample.seed = seed
    let blobs = try BlobStore(root: arguments[2] + "/blobs")
    let store = try StateStore(directory: arguments[2])
    let http = try HTTPClient()
    let api = try HTTPURL(arguments[1])
    let publisher = Publisher(
      target: PublishTarget(
        client: BalenaClient(http: http, api: api, token: token), organization: "balena_os", team: .init(name: "OS Devs", role: "developer")),
      registry: RegistryAccess(http: http, api: api, token: token), blobs: blobs, journal: PublicationJournal(store: store)
    ) { event in print("\(event)") }
    for published in try await publisher.publish(try sample.make(in: blobs), .init(mode: mode)) { print("\(published)") }
  }
}
