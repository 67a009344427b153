/// How a test cloud behaves and what it holds at the start.
package struct TestCloudConfiguration: Sendable {
  /// The answer to an API key that tries what only an administrator's session may do. The real answer is not known.
  package enum AdminRefusal: String, Sendable, CaseIterable {
    case unauthorized
    /// 200, and nothing is changed.
    case ignored
  }

  package struct DeviceType: Hashable, Sendable {
    package var slug: String
    /// As balena writes it: `amd64`, `aarch64`, `armv7hf`, `rpi`, `i386`.
    package var architecture: String
    /// Further names; every type is an alias of its own.
    package var aliases: [String]
    package var isPrivate: Bool

    package init(_ slug: String, _ architecture: String, aliases: [String] = [], isPrivate: Bool = false) {
      (self.slug, self.architecture, self.aliases, self.isPrivate) = (slug, architecture, aliases, isPrivate)
    }
  }

  /// Our own policy on top of the server's behaviour: what a careful client never does is refused.
  package var isStrict = false
  package var adminRefusal = AdminRefusal.unauthorized
  /// The first one is the administrator's.
  package var organizations = ["balena_os", "outsiders"]
  package var deviceTypes: [DeviceType] = [
    DeviceType("raspberrypi4-64", "aarch64"), DeviceType("raspberrypi3", "armv7hf"), DeviceType("raspberry-pi", "rpi", aliases: ["raspberrypi"]),
    DeviceType("intel-nuc", "amd64", aliases: ["genericx86-64"]), DeviceType("generic-amd64", "amd64"),
    DeviceType("secret-board", "aarch64", isPrivate: true),
  ]
  /// Teams of the first organization.
  package var teams = ["OS Devs"]
  /// Logins by address and name within two hours.
  package var allowedLogins = 10
  /// 0 or less gives tokens that have expired already.
  package var registryTokenSeconds = 4 * 3600
  /// How long the token endpoint remembers which image a location belongs to, also when there was none.
  package var locationCacheSeconds = 300
  /// Of a chunked upload; the real server's is 5 MiB.
  package var smallestChunk = 5 << 20
  /// How long the links of assets work.
  package var assetLinkSeconds = 24 * 3600
  /// Bodies from this size on are sent gzipped to clients that accept it.
  package var gzipFrom = 1024
  /// Assets that strict mode wants on a host application's release before it is final.
  package var requiredAssets = ["VERSION", "VERSION_HOSTOS", "device-type.json"]
  /// 0 is any free one.
  package var port = 0

  package init() {}
}
