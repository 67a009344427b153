/// All that the cloud knows, as a value. A request is answered from a copy, which replaces this one only when the request succeeded.
package struct CloudState: Sendable {
  package let configuration: TestCloudConfiguration
  package var database = CloudDatabase()
  package var accounts = Accounts()
  var assets = AssetStore()
  var locations = LocationCache()
  /// Scheme, host and port under which this server is reached.
  var publicURL = ""
  /// `host:port` of the registry.
  var registry = ""
  /// nil when there is no registry.
  var signer: RegistryTokenSigner?
  /// Says whether the registry has this manifest in this repository; for strict mode.
  var hasManifest: @Sendable (_ repository: String, _ digest: String) -> Bool = { _, _ in false }

  /// Answers, and keeps what the answer changed.
  package mutating func answer(_ request: CloudRequest, now: CloudDate) -> CloudReply {
    var next = self
    do throws(CloudRefusal) {
      let reply = try next.route(request, now: now)
      self = next
      return reply
    } catch {
      // Counted tries survive a refusal.
      accounts.keepTries(of: next.accounts)
      locations = next.locations
      return CloudReply(error)
    }
  }
}
