import BuildModel
import CanonicalJSON
import FoundationEssentials

import struct Crypto.SHA256

/// Names of work by its inputs: equal keys mean equal results, whatever the request.
extension PlannedTask {
  /// What hostapp, target image and their artifacts depend on; nil when nothing is to be built.
  package var systemKey: Digest? {
    system.map { key("system", SystemInputs(common: common, system: $0)) }
  }

  /// What the feed and the blocks made on a worker depend on; nil without such blocks. `compressor` names the compressor and its settings.
  package func blocksKey(compressor: String) -> Digest? {
    builtBlocks.isEmpty ? nil : key("blocks", BlockInputs(common: common, recipes: recipes, blocks: builtBlocks, feed: feed, compressor: compressor))
  }

  /// The task for a worker; parts that are at hand already are left out.
  package func spec(attempt: AttemptID, limits: Limits, buildsBlocks: Bool, buildsSystem: Bool) -> TaskSpec {
    let blocks = buildsBlocks ? builtBlocks : []
    return TaskSpec(
      attempt: attempt, slug: slug, machine: deviceType.yocto.machine, arch: deviceType.arch, osVersion: osVersion,
      manifestFile: deviceType.file, source: source, driver: driver, sourceDateEpoch: sourceDateEpoch,
      feed: buildsBlocks && needsFeed ? FeedSpec(recipes: feed == nil ? recipes : [], provided: feed) : nil, blocks: blocks,
      system: buildsSystem ? system : nil, limits: limits, settings: settings)
  }

  private struct Common: Encodable {
    var slug: Slug
    var machine: Machine
    var arch: Architecture
    var file: String
    var osVersion: OSVersion
    var driver: TaskSpec.Driver
    var settings: TaskSpec.Settings
    var commits: [String: CommitID]
    var epoch: Int64
  }
  private struct SystemInputs: Encodable {
    var common: Common
    var system: SystemSpec
  }
  private struct BlockInputs: Encodable {
    var common: Common
    var recipes: [RecipeName]
    var blocks: [BlockSpec]
    var feed: ProvidedFeed?
    var compressor: String
  }

  private var common: Common {
    var commits = ["": source.root.commit]
    for submodule in source.submodules { commits[submodule.path.text] = submodule.tree.commit }
    return Common(
      slug: slug, machine: deviceType.yocto.machine, arch: deviceType.arch, file: deviceType.file, osVersion: osVersion, driver: driver,
      settings: settings.inputs, commits: commits, epoch: sourceDateEpoch)
  }

  private func key(_ kind: String, _ inputs: some Encodable) -> Digest {
    // Values of this form always encode.
    let bytes = (try? CanonicalJSON.encode(inputs)) ?? []
    precondition(!bytes.isEmpty, "step inputs must encode")
    return Digest(bytes: SHA256.hash(data: Array("\(kind) 2\n".utf8) + bytes))!
  }
}

extension Plan {
  /// Names the whole plan by its content: an unfinished request with the same digest is the same work.
  package var digest: Digest {
    let bytes = (try? CanonicalJSON.encode(tasks)) ?? []
    return Digest(bytes: SHA256.hash(data: bytes))!
  }
}
