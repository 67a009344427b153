import BuildModel

/// Where a device repository is and how it is built (from farm.yaml).
package struct RepositorySource: Hashable, Sendable {
  package var name: String
  /// Absolute path of a checkout.
  package var path: String
  package var driver: TaskSpec.Driver
  /// Directories below the checkout that are searched for contracts: files named `contract.json`, and other `*.json` files that have the shape of the
  /// first generation (an object with `contents.packages`, without `type` and `slug`).
  package var contracts: [String]
  /// Whether somebody named these directories, so that each must hold a contract.
  package var demandsContracts: Bool
  /// Submodules that are built at other commits than the recorded ones; such a build is no release.
  package var replacements: [SubmoduleReplacement]
  /// Whether it wins where another repository defines the same device type.
  package var isPreferred: Bool

  package init(
    name: String, path: String, driver: TaskSpec.Driver, contracts: [String], demandsContracts: Bool = false,
    replacements: [SubmoduleReplacement] = [], isPreferred: Bool = false
  ) {
    self.isPreferred = isPreferred
    self.demandsContracts = demandsContracts
    self.replacements = replacements
    self.name = name
    self.path = path
    self.driver = driver
    self.contracts = contracts
  }
}

/// Another commit for a submodule than the one that the repository records.
package struct SubmoduleReplacement: Hashable, Sendable {
  /// Where the submodule lies below the repository's root.
  package var path: RelativePath
  /// What was asked for, for messages.
  package var ref: String
  /// The checked-out submodule has this commit among its objects.
  package var commit: CommitID

  package init(path: RelativePath, ref: String, commit: CommitID) {
    self.path = path
    self.ref = ref
    self.commit = commit
  }
}

/// Everything planning needs to know of one device repository.
package struct DeviceRepository: Sendable {
  package var source: RepositorySource
  package var listing: RepositoryListing
  package var contracts: [Contract]
  /// Contracts that cannot be read: no block is made from them.
  package var contractProblems: [PlanningError]
  /// What is said of contracts that are not used, to whoever asks for their blocks.
  package var unusedContracts: [String] = []
  package var compositions: CompositionFiles
  /// `balena.yml`: what the hostapp's release carries as its contract.
  package var releaseContract: CompositionValue?
  package var checkout: SourceSpec
  package var version: OSVersion
  /// meta-balena's version that a line of extended support is based on.
  package var baseVersion: OSVersion?
  /// What is in ``checkout`` and is not committed; nil where nothing is.
  package var changes: RepositoryChanges?
  /// Whether the checked-out commit is the tag itself and nothing was changed.
  package var isRelease: Bool
  /// Seconds since 1970 of the commit.
  package var commitTime: Int64
  /// Local git directories by mirror name, from which bundles are made.
  package var locations: [SourceLocation]
  /// What is worth knowing of the checkout and is no failure.
  package var notices: [String]

  package init(
    source: RepositorySource, listing: RepositoryListing, contracts: [Contract], contractProblems: [PlanningError] = [],
    compositions: CompositionFiles = CompositionFiles(),
    releaseContract: CompositionValue? = nil, checkout: SourceSpec, version: OSVersion, baseVersion: OSVersion? = nil, isRelease: Bool,
    commitTime: Int64, locations: [SourceLocation], notices: [String] = []
  ) {
    self.source = source
    self.listing = listing
    self.contracts = contracts
    self.contractProblems = contractProblems
    self.compositions = compositions
    self.releaseContract = releaseContract
    self.checkout = checkout
    self.version = version
    self.baseVersion = baseVersion
    self.isRelease = isRelease
    self.commitTime = commitTime
    self.locations = locations
    self.notices = notices
  }
}

/// The composition files of a repository.
package struct CompositionFiles: Sendable {
  /// `layers/meta-balena/hostapp.yml`.
  package var base: CompositionDocument?
  /// `<MACHINE>.hostapp.yml`, by machine.
  package var overlays: [String: CompositionDocument]
  /// What is wrong with files that cannot be read: of the base, and by machine.
  package var baseProblem: PlanningError?
  package var overlayProblems: [String: PlanningError] = [:]

  package init(base: CompositionDocument? = nil, overlays: [String: CompositionDocument] = [:]) {
    self.base = base
    self.overlays = overlays
  }

  /// The composition of a device type; nil where there is no file for it. Throws where a file cannot be read, or the files together break a rule.
  package func composition(for deviceType: DeviceType) throws(PlanningError) -> Composition? {
    if let problem = overlayProblems[deviceType.yocto.machine.text] ?? baseProblem { throw problem }
    let overlay = overlays[deviceType.yocto.machine.text]
    guard base != nil || overlay != nil else { return nil }
    return try Composition.merge(base: base, overlay: overlay, systemTargets: deviceType.yocto.image)
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
