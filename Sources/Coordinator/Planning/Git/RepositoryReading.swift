import BuildModel

/// What became of reading one configured repository.
package enum RepositoryReading: Sendable {
  case usable(DeviceRepository)
  case unusable(UnusableRepository)

  var listing: RepositoryListing {
    switch self {
    case .usable(let repository): repository.listing
    case .unusable(let repository): repository.listing
    }
  }
  /// nil where it cannot be told.
  var version: OSVersion? {
    switch self {
    case .usable(let repository): repository.version
    case .unusable(let repository): repository.version
    }
  }
}

/// A repository that nothing can be built from. Its device types fail, and nothing else.
package struct UnusableRepository: Sendable {
  /// Without device types where not even the manifests can be read.
  package var listing: RepositoryListing
  /// nil where it cannot be told.
  package var version: OSVersion?
  package var error: PlanningError

  package init(listing: RepositoryListing, version: OSVersion? = nil, error: PlanningError) {
    self.listing = listing
    self.version = version
    self.error = error
  }
}
