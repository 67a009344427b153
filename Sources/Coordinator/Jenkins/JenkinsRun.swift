import BoundedConcurrency
import BuildModel
import CoordinatorConfiguration
import FarmService
import FoundationEssentials
import Glibc
import Planning
import Releases
import Reports

import struct Crypto.SHA256

/// Builds what a Jenkins job asks for and lays the result out in the job's workspace.
package struct JenkinsRun: Sendable {
  package let job: JenkinsJob
  package let farm: Farm
  /// What the command line adds to the build's local.conf.
  private let variables: [AdditionalVariable]
  /// What a person should know about how the variables were understood.
  package let notices: [String]
  private let directory: JenkinsDirectory
  /// The repository in the workspace; nil when there is none.
  private let repository: String?

  /// Takes the workspace for the first of the farm's repositories when a device repository is checked out there.
  ///
  /// A workspace whose repository the farm knows by name takes that one's place, with its driver and contracts. Without a configuration file
  /// the state lies in the home directory, apart for each workspace, so that jobs of one agent do not wait for each other.
  package init(_ job: JenkinsJob, variables: [AdditionalVariable] = [], configuration: FarmConfiguration, workingDirectory: String) throws {
    self.job = job
    self.variables = variables
    let workspace = try Self.directory(job.workspace ?? workingDirectory)
    directory = JenkinsDirectory(workspace: workspace)
    var configuration = Self.withState(configuration, of: workspace)
    var notices = job.notices
    if Self.isDeviceRepository(workspace) {
      let own = Self.repository(in: workspace, known: configuration.repositories)
      configuration.repositories.removeAll { $0.name == own.name || $0.source == workspace }
      configuration.repositories.insert(own, at: 0)
      repository = own.name
    } else {
      guard !configuration.repositories.isEmpty else {
        throw FarmError.usage(
          "WORKSPACE=\(workspace) is no checkout of a device repository (a manifest *.coffee beside .git), "
            + "and no repository is configured: check one out there, or list repositories in a farm.yaml and name it with --config")
      }
      notices.append("\(workspace) is no checkout of a device repository; those of \(configuration.file ?? "the configuration") are used")
      repository = nil
    }
    if let deployment = job.deployment { notices += Self.useVariables(of: deployment, in: &configuration) }
    self.notices = notices
    farm = try Farm(configuration)
  }

  /// What the configuration says of the clouds that a job can name.
  package static func configured(_ configuration: FarmConfiguration) -> [JenkinsJob.Deployment.Cloud: JenkinsEnvironment.Configured] {
    var result: [JenkinsJob.Deployment.Cloud: JenkinsEnvironment.Configured] = [:]
    for name in JenkinsJob.Deployment.Cloud.allCases {
      guard let found = try? configuration.cloud(named: name.rawValue) else { continue }
      result[name] = .init(hasCredential: found.hasCredential, hasStorage: found.storage != nil)
    }
    return result
  }

  /// The job's own variables serve where the configuration says nothing; gives what a person should know about it.
  private static func useVariables(of deployment: JenkinsJob.Deployment, in configuration: inout FarmConfiguration) -> [String] {
    let name = deployment.cloud
    guard var found = try? configuration.cloud(named: name.rawValue) else { return [] }
    var notices: [String] = []
    if !found.hasCredential {
      switch deployment.credential {
      case .token: found.token = .environment(name.tokenVariable)
      case .login:
        found.login = .init(
          username: .source(.environment(JenkinsJob.Deployment.emailVariable)), password: .environment(JenkinsJob.Deployment.passwordVariable))
      case nil: break
      }
    }
    if found.storage == nil, deployment.hasStorageKeys {
      found.storage = .init(
        endpoint: "https://s3.us-east-1.amazonaws.com", bucket: name.bucket, region: "us-east-1", accessKey: .environment(name.accessKeyVariable),
        secretKey: .environment(name.secretKeyVariable))
      notices.append("what is published goes to the bucket \(name.bucket), too: the job has its keys")
    }
    configuration.clouds.removeAll { $0.name == found.name }
    configuration.clouds.append(found)
    return notices
  }

  /// Whether a build would run on this machine when nothing is said about it.
  package var hasNoHosts: Bool { farm.context.configuration.hosts.isEmpty }

  /// Builds and writes `deploy-jenkins/`, whatever became of the device types; what an earlier run left there goes first.
  package func build(
    isLocal: Bool, isUnconfined: Bool = false, slots: Int, hosts: [String], report: @escaping @Sendable (FarmEvent) -> Void
  ) async throws -> Farm.BuildResult {
    var options = Farm.BuildOptions(
      request: request(isLocal: isLocal), allowDirty: false, isLocal: isLocal, localSlots: slots, hosts: hosts,
      submodule: job.metaBalenaRef.flatMap(SubmoduleRef.metaBalena),
      deploy: job.deployment.map {
        DeployRequest(mode: $0.isFinal ? .final : .draft, cloud: $0.cloud.rawValue, isESR: job.isESR)
      })
    options.isUnconfined = isUnconfined
    if !isLocal, let shared = job.sharedDirectory {
      report(.notice("YOCTO_DIR=\(shared) has no effect: hosts have downloads and shared state of their own"))
    }
    let (directory, isSingle) = (directory, job.isSingle)
    do {
      try await BlockingWork.run { try directory.clear() }
      let result = try await farm.build(options) { event in
        // The directory that cannot be written now cannot be written at the end either, which is then said.
        if case .requestStarted(let request, _, _) = event { try? directory.begin(request, isSingle: isSingle) }
        report(event)
      }
      try await BlockingWork.run {
        let tree = DeployTree(output: String(result.directory.dropLast(result.index.request.text.count + 1)), request: result.index.request)
        try directory.write(result.index, from: tree, isSingle: isSingle)
      }
      return result
    } catch let error as any BlamedError {
      // A request that was begun is taken up by the next run, or ended by `--cancel`: its note must stay.
      if error.blame != .request, error.blame != .repository, directory.unfinished() == nil { try? directory.write(JenkinsRefusal(error)) }
      throw error
    } catch let cancellation as CancellationError {
      throw cancellation
    } catch {
      throw FarmError.farm("\(directory.path): \(error)")
    }
  }

  /// Ends what a killed run of the workspace's job left on the hosts, and lays out in `deploy-jenkins/` what there is, as the run would have; nil
  /// when there is nothing.
  package static func cancel(
    workspace: String?, configuration: FarmConfiguration, workingDirectory: String
  ) async throws -> String? {
    let workspace = try directory(workspace ?? workingDirectory)
    let directory = JenkinsDirectory(workspace: workspace)
    guard let unfinished = directory.unfinished() else { return nil }
    let farm = try Farm(withState(configuration, of: workspace))
    return try await farm.cancel(farm.request(unfinished.request.text)) { index, tree in
      try await BlockingWork.run { try directory.write(index, from: tree, isSingle: unfinished.isSingle) }
    }
  }

  /// `all` means the device types of the workspace's repository, where there is one.
  private func request(isLocal: Bool) -> PlanRequest {
    let settings = TaskSpec.Settings(
      isDevelopment: job.isDevelopment, supervisorVersion: job.supervisorVersion, sharedDirectory: isLocal ? job.sharedDirectory : nil,
      variables: variables)
    let blocks: PlanRequest.Blocks =
      switch job.blocks {
      case nil: .none
      case .all: .all
      case .named(let names): .named(names)
      }
    switch job.machines {
    case .all:
      return PlanRequest(machines: [], all: true, architectures: [], repositories: [repository].compactMap { $0 }, blocks: blocks, settings: settings)
    case .named(let names): return PlanRequest(machines: names, all: false, architectures: [], repositories: [], blocks: blocks, settings: settings)
    }
  }

  private static func directory(_ workspace: String) throws -> String {
    guard FileManager.default.fileExists(atPath: workspace) else { throw FarmError.usage("WORKSPACE=\(workspace): there is no such directory") }
    return workspace
  }

  private static func withState(_ configuration: FarmConfiguration, of workspace: String) -> FarmConfiguration {
    guard configuration.file == nil else { return configuration }
    var own = configuration
    let name = workspace.split(separator: "/").last.map(String.init) ?? "workspace"
    own.state += "/jenkins/\(name)-\(mark(of: workspace))"
    own.output = own.state + "/out"
    return own
  }

  private static func isDeviceRepository(_ directory: String) -> Bool {
    guard access(directory + "/.git", F_OK) == 0 else { return false }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.contains { $0.hasSuffix(".coffee") }
  }

  /// The repository's name is that of its remote, for a workspace is named after its job.
  private static func repository(in workspace: String, known: [FarmConfiguration.Repository]) -> FarmConfiguration.Repository {
    let origin = try? GitCommand.run(["config", "--get", "remote.origin.url"], in: workspace, repository: workspace)
    let url = String(decoding: (origin ?? []).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    let last = (url.isEmpty ? workspace : url).split { $0 == "/" || $0 == ":" }.last.map(String.init) ?? "workspace"
    let name = last.hasSuffix(".git") ? String(last.dropLast(4)) : last
    let like = known.first { $0.source == workspace } ?? known.first { $0.name == name }
    return FarmConfiguration.Repository(
      name: like?.name ?? name, source: workspace, ref: nil, driver: like?.driver ?? .barys, contracts: like?.contracts, disk: like?.disk,
      isPreferred: true)
  }

  /// Tells workspaces of one name apart.
  private static func mark(of workspace: String) -> String {
    let digest = Digest(bytes: SHA256.hash(data: Array(workspace.utf8)))
    return String((digest?.hex ?? "").prefix(12))
  }
}
