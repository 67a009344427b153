import ArgumentParser
import CoordinatorConfiguration
import FarmService
import FoundationEssentials
import Jenkins

/// `blockfarm jenkins`: what a Jenkins job runs in place of the old scripts.
struct JenkinsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jenkins", abstract: "Build what a Jenkins job's variables say, and leave the result in its workspace.",
    discussion: """
      Reads MACHINE (names or 'all'), hostOSBlocks, deploy, final, deployTo, ESR, WORKSPACE, YOCTO_DIR, metaBalenaBranch, supervisorVersion, \
      OS_DEVELOPMENT and VERBOSE from the environment. Writes WORKSPACE/deploy-jenkins: the files of one device type directly, those of several \
      below a directory for each, and junit.xml. Builds on the configured hosts; on this machine where there is none.

      deploy=yes publishes with the token or login of the cloud in farm.yaml; where it names neither, with BALENAOS_STAGING_TOKEN or \
      BALENAOS_PRODUCTION_TOKEN; where that is not set, as balenaCloudEmail with balenaCloudPassword. Files go to the cloud's storage in \
      farm.yaml; where it names none and STAGING_S3_ACCESS_KEY and STAGING_S3_SECRET_KEY (or PRODUCTION_...) are set, to the bucket that the old scripts used.
      """)

  @OptionGroup var configurationOptions: ConfigurationOptions
  @Flag(name: .long, help: "Build on this machine, whatever hosts are configured.")
  var local = false
  @Option(name: .long, help: "Device types built at the same time on this machine.")
  var slots = 1
  @OptionGroup var isolation: IsolationOption
  @Option(name: .long, help: "Use only this host. May be repeated.")
  var host: [String] = []
  @OptionGroup var additional: VariableOptions
  @Flag(name: .long, help: "Build nothing; end what a killed run of this job left on the hosts.")
  var cancel = false

  func run() async throws {
    let directory = FileManager.default.currentDirectoryPath
    let variables = CallerEnvironment.variables
    if cancel {
      let workspace = try JenkinsEnvironment.workspace(variables)
      let text = try await JenkinsRun.cancel(
        workspace: workspace, configuration: configurationOptions.load(), workingDirectory: directory)
      return try Results.print(text ?? "no run of this job was left unfinished")
    }
    let configuration = try configurationOptions.load()
    let job = try JenkinsEnvironment.parse(variables, configured: JenkinsRun.configured(configuration))
    guard slots >= 1 else { throw FarmError.usage("--slots must be at least 1") }
    guard !local || host.isEmpty else {
      throw FarmError.usage("--local builds on this machine and --host \(host[0]) on another: give one of them")
    }
    let jenkins = try JenkinsRun(job, variables: additional.list(), configuration: configuration, workingDirectory: directory)
    for notice in jenkins.notices { Diagnostics.print("note: " + notice) }
    let progress = ProgressView(showsPercent: job.isVerbose)
    let interrupts = InterruptSignals(jenkins.farm.context.interruption)
    defer { interrupts.cancel() }
    let isLocal = local || (host.isEmpty && jenkins.hasNoHosts)
    let isUnconfined = try isolation.isUnconfined(isLocal: isLocal)
    let result = try await jenkins.build(isLocal: isLocal, isUnconfined: isUnconfined, slots: slots, hosts: host) { progress.take($0) }
    progress.finish()
    try Results.print(OutcomeTable.text(result))
    let status = ExitStatus(result.end)
    if status != .good { throw CommandStatus(status: status.value) }
  }
}
