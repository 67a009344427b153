import BuildModel

/// What one run of a Jenkins job asks for.
package struct JenkinsJob: Hashable, Sendable {
  package enum Selection: Hashable, Sendable {
    /// Every device type; or every block that fits.
    case all
    /// In the order in which they were named; never empty.
    case named([String])
  }

  /// Where and how the results are published.
  package struct Deployment: Hashable, Sendable {
    package enum Cloud: String, Hashable, Sendable, CaseIterable {
      case staging, production
      /// The variable that holds the API token. Its value is not kept here.
      package var tokenVariable: String { "BALENAOS_\(rawValue.uppercased())_TOKEN" }
      /// The variables that hold the two keys of ``bucket``.
      package var accessKeyVariable: String { "\(rawValue.uppercased())_S3_ACCESS_KEY" }
      package var secretKeyVariable: String { "\(rawValue.uppercased())_S3_SECRET_KEY" }
      /// Where the old jobs put the deploy tree of this cloud.
      package var bucket: String {
        switch self {
        case .staging: "resin-staging-img"
        case .production: "resin-production-img-cloudformation"
        }
      }
    }
    /// The variables that say who publishes. Their values are not kept here.
    package enum Credential: Hashable, Sendable {
      case token
      /// ``emailVariable`` and ``passwordVariable``.
      case login
    }
    /// The account's variables are the same for all clouds.
    package static let emailVariable = "balenaCloudEmail"
    package static let passwordVariable = "balenaCloudPassword"

    package var cloud: Cloud
    /// nil: the configuration says it.
    package var credential: Credential?
    /// Whether the job has the keys of the cloud's bucket, and the configuration does not name another one.
    package var hasStorageKeys: Bool
    /// Whether the releases are finalized; drafts otherwise.
    package var isFinal: Bool
  }

  /// Names of device types: slugs, machines, file names or aliases.
  package var machines: Selection
  /// Names of hostOS blocks; nil for the core hostapp alone.
  package var blocks: Selection?
  /// nil when nothing is published.
  package var deployment: Deployment?
  /// Whether the results belong to the extended support applications.
  package var isESR: Bool
  /// Absolute path of the job's workspace; nil when the variable is not set.
  package var workspace: String?
  /// Absolute path of the directory that local builds share (YOCTO_DIR): `shared-downloads`, and `<MACHINE>/sstate` for each machine.
  package var sharedDirectory: String?
  /// A branch, tag, pull request (`pull/N/head`, `pr/N`) or commit of meta-balena; nil for the pinned one.
  package var metaBalenaRef: String?
  /// nil for the pinned one.
  package var supervisorVersion: SupervisorVersion?
  package var isDevelopment: Bool
  package var isVerbose: Bool
  /// Variables that are set, understood and have no effect here, with the reason.
  package var notices: [String]

  /// Whether exactly one device type is named: its files then lie directly in `deploy-jenkins/`, else below a directory for each.
  package var isSingle: Bool {
    if case .named(let names) = machines { names.count == 1 } else { false }
  }
}
