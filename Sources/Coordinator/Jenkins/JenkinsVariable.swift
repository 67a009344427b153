import BuildModel

/// The variables of a job, by the names that the old scripts gave them.
enum JenkinsVariable: String, CaseIterable {
  case machine = "MACHINE"
  case hostOSBlocks
  case deploy
  case final
  case deployTo
  case esr = "ESR"
  case workspace = "WORKSPACE"
  case yoctoDir = "YOCTO_DIR"
  case metaBalenaBranch
  case metaResinBranch
  case supervisorVersion
  case supervisorTag
  case osDevelopment = "OS_DEVELOPMENT"
  case buildFlavor
  case verbose = "VERBOSE"
  case packageType = "PACKAGE_TYPE"
  case namespace = "NAMESPACE"
  case enableTests = "ENABLE_TESTS"
  case ami = "AMI"

  /// Complaints about variables whose names look like one of these that is not set itself: a misspelt parameter must not become a default.
  ///
  /// Short names count only when nothing but their case differs, for other programs have variables too.
  static func misspelt(among names: some Sequence<String>) -> [String] {
    let given = Set(names)
    let secrets = JenkinsJob.Deployment.Cloud.allCases.flatMap { [$0.tokenVariable, $0.accessKeyVariable, $0.secretKeyVariable] }
    let known = Set(allCases.map(\.rawValue) + secrets + [JenkinsJob.Deployment.emailVariable, JenkinsJob.Deployment.passwordVariable])
    return given.subtracting(known).sorted().compactMap { name in
      let meant = known.filter { !given.contains($0) && isNear(name, $0) }.sorted()
      return meant.isEmpty ? nil : "\(name) is no variable of a job; did you mean \(meant.joined(separator: " or "))?"
    }
  }

  private static func isNear(_ name: String, _ known: String) -> Bool {
    if name.lowercased() == known.lowercased() { return true }
    let limit = known.utf8.count < 7 ? 0 : known.utf8.count < 9 ? 1 : 2
    return NearestNames.distance(name, known) <= limit
  }
}
