import BuildModel

/// Where a device repository is and how it is built (from farm.yaml).
package struct RepositorySource: Hashable, Sendable {
  package var name: String
  /// Absolute path of a checkout.
  package var path: String
  package var driver: TaskSpec.Driver
  /// Directories below the checkout that are searched for `contract.json`.
  package var contracts: [String]

  package init(name: String, path: String, driver: TaskSpec.Driver, contracts: [String]) {
    self.name = name
    self.path = path
    self.driver = driver
    self.contracts = contracts
  }
}

/// Everything planning needs to know of one device repository.
package struct DeviceRepository: Sendable {
  package var source: RepositorySource
  package var deviceTypes: [DeviceType]
  package var contracts: [Contract]
  package var checkout: SourceSpec
  package var version: OSVersion
  /// Whether the checked-out commit is the tag itself and nothing was changed.
  package var isRelease: Bool
  /// Seconds since 1970 of the commit.
  package var commitTime: Int64
  /// Local git directories by mirror name, from which bundles are made.
  package var locations: [SourceLocation]
  /// What is worth knowing of the checkout and is no failure.
  package var notices: [String]

  package init(
    source: RepositorySource, deviceTypes: [DeviceType], contracts: [Contract], checkout: SourceSpec, version: OSVersion,
    isRelease: Bool, commitTime: Int64, locations: [SourceLocation], notices: [String] = []
  ) {
    self.source = source
    self.deviceTypes = deviceTypes
    self.contracts = contracts
    self.checkout = checkout
    self.version = version
    self.isRelease = isRelease
    self.commitTime = commitTime
    self.locations = locations
    self.notices = notices
  }
}

/// Where the coordinator finds the commits of a mirror.
package struct SourceLocation: Codable, Hashable, Sendable {
  package var mirror: Digest
  /// Absolute path of a work tree.
  package var path: String
  package init(mirror: Digest, path: String) {
    self.mirror = mirror
    self.path = path
  }
}
