import BuildModel

/// Reads the environment variables by which jobs of balena-yocto-scripts' Jenkins scripts (2020-11 to 2024-02) are parameterised. Pure.
///
/// An unset variable and an empty one are the same: that is how Jenkins passes a parameter that was left empty.
package struct JenkinsEnvironment {
  /// What the configuration says of a cloud, so that the job's variables need not.
  package struct Configured: Hashable, Sendable {
    package var hasCredential: Bool
    package var hasStorage: Bool

    package init(hasCredential: Bool = false, hasStorage: Bool = false) {
      self.hasCredential = hasCredential
      self.hasStorage = hasStorage
    }
  }

  private let variables: [String: String]
  private let configured: [JenkinsJob.Deployment.Cloud: Configured]
  private var problems: [String] = []
  private var notices: [String] = []

  /// Throws every complaint that there is about the job's own variables. Other variables are not looked at, but for misspelt names.
  package static func parse(
    _ variables: [String: String], configured: [JenkinsJob.Deployment.Cloud: Configured] = [:]
  ) throws(JenkinsError) -> JenkinsJob {
    var environment = JenkinsEnvironment(variables: variables.filter { !$0.value.isEmpty }, configured: configured)
    let job = environment.job()
    environment.problems += JenkinsVariable.misspelt(among: environment.variables.keys)
    guard let job, environment.problems.isEmpty else { throw JenkinsError(problems: environment.problems) }
    return job
  }

  /// The job's workspace alone, for what comes after a run; nil when the variable is not set.
  package static func workspace(_ variables: [String: String]) throws(JenkinsError) -> String? {
    var environment = JenkinsEnvironment(variables: variables.filter { !$0.value.isEmpty }, configured: [:])
    let workspace = environment.path(.workspace)
    guard environment.problems.isEmpty else { throw JenkinsError(problems: environment.problems) }
    return workspace
  }

  private init(variables: [String: String], configured: [JenkinsJob.Deployment.Cloud: Configured]) {
    self.variables = variables
    self.configured = configured
  }

  private mutating func job() -> JenkinsJob? {
    let machines = selection(.machine, noun: "device type") { (try? Slug($0)) != nil }
    if machines == nil, value(.machine) == nil {
      problems.append("MACHINE is not set: name device types (blanks, commas or colons between them), or 'all'")
    }
    let blocks = selection(.hostOSBlocks, noun: "block") { (try? BlockName($0)) != nil }
    let metaBalena = pinned(.metaBalenaBranch, .metaResinBranch, isRight: Self.isRef, meaning: "a branch, tag, pull request or commit")
    let supervisor = pinned(.supervisorVersion, .supervisorTag, isRight: { (try? SupervisorVersion($0)) != nil }, meaning: "a version")
    let isDevelopment = development()
    let deployment = deployment(isPinned: metaBalena == nil)
    let isESR = flag(.esr)
    let (workspace, shared) = (path(.workspace), path(.yoctoDir))
    if let shared, !TaskSpec.Settings.isDirectory(shared) { wrong(.yoctoDir, "can have neither blanks nor '..'") }
    let isVerbose = verbose()
    checkOthers()
    guard let machines else { return nil }
    return JenkinsJob(
      machines: machines, blocks: blocks, deployment: deployment, isESR: isESR, workspace: workspace, sharedDirectory: shared,
      metaBalenaRef: metaBalena, supervisorVersion: supervisor.flatMap { try? SupervisorVersion($0) }, isDevelopment: isDevelopment,
      isVerbose: isVerbose, notices: notices)
  }

  // MARK: one variable

  private func value(_ variable: JenkinsVariable) -> String? { variables[variable.rawValue] }

  /// What is shown of a value in a complaint. Tokens never get here.
  private func shown(_ variable: JenkinsVariable) -> String { "\(variable.rawValue)=\((value(variable) ?? "").prefix(200))" }

  private mutating func wrong(_ variable: JenkinsVariable, _ what: String) { problems.append("\(shown(variable)): \(what)") }

  /// yes and true, no and false; unset means no.
  private mutating func flag(_ variable: JenkinsVariable) -> Bool {
    switch value(variable)?.lowercased() {
    case nil, "no", "false": return false
    case "yes", "true": return true
    default:
      wrong(variable, "must be yes or no")
      return false
    }
  }

  /// Names between blanks, commas and colons, each once; or `all`, alone.
  private mutating func selection(_ variable: JenkinsVariable, noun: String, isName: (String) -> Bool) -> JenkinsJob.Selection? {
    guard let text = value(variable) else { return nil }
    var names: [String] = []
    for name in text.split(whereSeparator: { $0.isWhitespace || $0 == "," || $0 == ":" }).map(String.init) where !names.contains(name) {
      names.append(name)
      if !isName(name) { wrong(variable, "'\(name.prefix(100))' is not a \(noun)'s name") }
    }
    if names == ["all"] { return .all }
    if names.contains("all") { wrong(variable, "'all' stands alone or not at all") }
    if names.isEmpty { wrong(variable, "names no \(noun)") }
    return names.isEmpty ? nil : .named(names)
  }

  private mutating func path(_ variable: JenkinsVariable) -> String? {
    guard let text = value(variable) else { return nil }
    guard text.hasPrefix("/"), text.utf8.count <= 4096, text.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
      wrong(variable, "must be an absolute path")
      return nil
    }
    return text
  }

  /// A choice under its current or its former name; `__ignore__` means what the repository pins.
  private mutating func pinned(
    _ current: JenkinsVariable, _ former: JenkinsVariable, isRight: (String) -> Bool, meaning: String
  ) -> String? {
    var choices: [String] = []
    for variable in [current, former] {
      guard let text = value(variable), text != "__ignore__" else { continue }
      if isRight(text) { choices.append(text) } else { wrong(variable, "is not \(meaning); '__ignore__' stands for the pinned one") }
    }
    if choices.count == 2, choices[0] != choices[1] { problems.append("\(shown(current)) contradicts \(shown(former))") }
    return choices.first
  }

  /// A ref's name as git-check-ref-format(1) has it, never to be mistaken for an option or a range.
  private static func isRef(_ text: String) -> Bool {
    let forbidden = Set(" ~^:?*[\\".utf8)
    return text.utf8.count <= 255 && !text.hasPrefix("-") && !text.hasPrefix("/") && !text.hasSuffix("/") && !text.hasSuffix(".")
      && !text.hasSuffix(".lock") && !text.contains("..") && !text.contains("//") && !text.contains("@{")
      && text.utf8.allSatisfy { $0 > 32 && $0 != 127 && !forbidden.contains($0) }
  }

  // MARK: several variables

  /// OS_DEVELOPMENT, or the flavour of older jobs.
  private mutating func development() -> Bool {
    let isDevelopment = flag(.osDevelopment)
    let isFlavor: Bool
    switch value(.buildFlavor) {
    case nil: return isDevelopment
    case "prod": isFlavor = false
    case "dev": isFlavor = true
    default:
      wrong(.buildFlavor, "must be prod or dev")
      return isDevelopment
    }
    if value(.osDevelopment) != nil, isFlavor != isDevelopment { problems.append("\(shown(.osDevelopment)) contradicts \(shown(.buildFlavor))") }
    return isFlavor
  }

  private mutating func deployment(isPinned: Bool) -> JenkinsJob.Deployment? {
    let (isDeployed, isFinal) = (flag(.deploy), flag(.final))
    var cloud: JenkinsJob.Deployment.Cloud?
    if let text = value(.deployTo) {
      cloud = .init(rawValue: text)
      if cloud == nil { wrong(.deployTo, "must be \(JenkinsJob.Deployment.Cloud.allCases.map(\.rawValue).joined(separator: " or "))") }
    } else if isDeployed {
      problems.append("deploy=yes needs deployTo: staging or production")
    }
    if isFinal, !isDeployed { problems.append("final=yes needs deploy=yes: there is no release to finalize") }
    if isFinal, isDeployed, !isPinned { problems.append("final=yes contradicts another meta-balena than the pinned one: such a build is no release") }
    guard isDeployed, let cloud else { return nil }
    let configured = configured[cloud] ?? Configured()
    return JenkinsJob.Deployment(
      cloud: cloud, credential: configured.hasCredential ? nil : credential(for: cloud),
      hasStorageKeys: !configured.hasStorage && pair(cloud.accessKeyVariable, cloud.secretKeyVariable), isFinal: isFinal)
  }

  /// The cloud's own token, else the account by which the old jobs logged in.
  private mutating func credential(for cloud: JenkinsJob.Deployment.Cloud) -> JenkinsJob.Deployment.Credential? {
    if variables[cloud.tokenVariable] != nil { return .token }
    let (email, password) = (JenkinsJob.Deployment.emailVariable, JenkinsJob.Deployment.passwordVariable)
    if pair(email, password) { return .login }
    if variables[email] == nil, variables[password] == nil {
      problems.append(
        "deploy=yes to \(cloud.rawValue) needs a token in \(cloud.tokenVariable), or an account in \(email) and \(password)")
    }
    return nil
  }

  /// Whether both are set; one alone is a mistake. Their values are in no complaint.
  private mutating func pair(_ one: String, _ other: String) -> Bool {
    switch (variables[one] != nil, variables[other] != nil) {
    case (true, true): return true
    case (false, false): return false
    case (true, false): problems.append("\(one) is set and \(other) is not: both or neither")
    case (false, true): problems.append("\(other) is set and \(one) is not: both or neither")
    }
    return false
  }

  private mutating func verbose() -> Bool {
    if value(.verbose) == "verbose" { return true }
    if let text = value(.verbose), !["yes", "no", "true", "false"].contains(text.lowercased()) {
      wrong(.verbose, "must be verbose, yes or no")
      return false
    }
    return flag(.verbose)
  }

  /// Variables of the old scripts that only one value is right for, or that mean nothing without containers.
  private mutating func checkOthers() {
    if let type = value(.packageType), type != "ipk" { wrong(.packageType, "only ipk feeds are built") }
    if flag(.enableTests) { wrong(.enableTests, "the repository's tests are not run by blockfarm; run them on the delivered image") }
    if flag(.ami) { wrong(.ami, "machine images for AWS are not made by blockfarm") }
    if value(.namespace) != nil { notices.append("NAMESPACE has no effect: there are no helper containers") }
  }
}
