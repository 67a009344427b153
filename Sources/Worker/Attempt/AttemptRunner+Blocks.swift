import Blocks
import BuildModel
import Containers
import Feed
import FoundationEssentials
import Glibc
import Processes
import Yocto

extension AttemptRunner {
  /// One image a block, by its origin.
  func makeBlocks(from feed: PackageFeed?) throws {
    try makeDirectory(directory.scratchPath)
    for (index, block) in spec.blocks.enumerated() {
      try checkpoint(.blocks)
      let result =
        switch block.origin {
        case .packages: try assemble(block, from: feed)
        case .dockerfile(let directory, let baseImage): try buildImage(of: block, directory: directory, baseImage: baseImage, feed: feed)
        case .recipe(let recipe, let arguments, let assets): try buildRecipe(recipe, arguments: arguments, assets: assets, of: block)
        case .registry(let reference):
          throw Failure(kind: .rejected, step: .blocks, reason: "block \(block.name) is image \(reference) of a registry, which workers do not fetch")
        }
      blocks.append(result)
      for text in result.notices { try notice("block \(block.name): \(text)") }
      try journal.append(.progress(step: .blocks, done: index + 1, total: spec.blocks.count), durable: false)
    }
  }

  private func assemble(_ block: BlockSpec, from feed: PackageFeed?) throws -> BlockResult {
    guard let feed else { throw Failure(kind: .rejected, step: .blocks, reason: "block \(block.name) is made of packages, but there is no feed") }
    return try BlockAssembler(feed: feed, store: store, scratch: directory.scratchPath, epoch: spec.sourceDateEpoch).assemble(block)
  }

  private func importer(_ block: BlockSpec) -> ImageImport {
    ImageImport(block: block, store: store, epoch: spec.sourceDateEpoch, builderLabels: [AttemptContainers.label])
  }

  // MARK: image recipes

  /// The image that bitbake makes, as it is, and the service's files.
  private func buildRecipe(_ recipe: RecipeName, arguments: [String], assets: [String], of block: BlockSpec) throws -> BlockResult {
    let fresh = try sinceCheckout()
    try bitbake(.targets([recipe], arguments: arguments), step: .blocks, what: "bitbake \(recipe)")
    let tree = try BuildTree(path: directory.treePath)
    let directory = "build/tmp/deploy/images/\(spec.machine)"
    let relative = "\(directory)/\(recipe)-\(spec.machine).docker"
    guard let path = try tree.locate(relative) else { throw YoctoError.missing(path: relative, present: tree.names(in: directory)) }
    guard fresh.isOlder(than: path) else { throw YoctoError.stale(path: relative) }
    let result = try importer(block).archive(path)
    let collector = ArtifactCollector(tree: tree, machine: spec.machine, store: store, epoch: spec.sourceDateEpoch, fresh: fresh)
    artifacts += try collector.collectAssets(assets, of: block.name)
    return result
  }

  // MARK: Dockerfiles

  /// The image that a container builder makes, from the block's own Dockerfile or the pre-defined one.
  private func buildImage(of block: BlockSpec, directory: RelativePath?, baseImage: String?, feed: PackageFeed?) throws -> BlockResult {
    let scratch = "\(self.directory.scratchPath)/\(block.name)"
    try makeDirectory(scratch)
    // The builder removes what it made itself; a block that is refused before it starts must leave nothing either.
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    let programs = HostPrograms.current
    let context = try DockerfileContext(at: scratch + "/context", block: block.name)
    let text: String
    if let directory {
      let tree = try BuildTree(path: self.directory.treePath)
      guard let path = try tree.locate(directory.text) else {
        throw Failure(
          kind: .rejected, step: .blocks, reason: "block \(block.name): the repository has no directory '\(directory)'", blame: .repository)
      }
      text = try context.add(directory: path)
    } else {
      guard let baseImage, let host = programs.native, let feed else {
        let lack = baseImage == nil ? "a base image with opkg" : feed == nil ? "a feed" : "a host of a known architecture"
        throw Failure(kind: .rejected, step: .blocks, reason: "block \(block.name): the pre-defined Dockerfile needs \(lack)")
      }
      let selection = try PackageSelection(block, from: feed)
      for text in selection.notices { try notice("block \(block.name): \(text)") }
      let predefined = try DockerfileOfPackages(
        block, packages: selection.items.map(\.name), architectures: feed.architectures, baseImage: baseImage, host: host)
      text = predefined.dockerfile
      try context.add(predefined)
    }
    try check(DockerfileStages(text), of: block, on: programs)
    if let feed { try context.add(feed: feed.root, architectures: feed.architectures) }
    return try buildImage(of: block, from: context, scratch: scratch)
  }

  private func check(_ stages: DockerfileStages, of block: BlockSpec, on programs: HostPrograms) throws {
    for place in stages.runningPlaces {
      switch place {
      case .host: continue
      case .target: try programs.check(block.platform)
      case .named(let text):
        let parts = text.split(separator: "/").map(String.init)
        if parts.count >= 2 { try programs.check(Platform(os: parts[0], architecture: parts[1], variant: parts.count > 2 ? parts[2] : nil)) }
      }
    }
  }

  private func buildImage(of block: BlockSpec, from context: DockerfileContext, scratch: String) throws -> BlockResult {
    let builder = try ImageBuilder(attempt: directory.id.description, scratch: scratch, environment: environment)
    usesDaemon = usesDaemon || builder.tool == .docker
    isolations.insert(builder.tool == .docker ? .docker : .container)
    // The tree of processes is ended first: a cancelled builder still writes.
    defer {
      _ = directory.processes.end(of: getpid(), grace: 5)
      do { try builder.cleanUp() } catch { try? notice("block \(block.name): what \(builder.tool) left could not be removed: \(error)") }
    }
    try call(
      builder.build(context: context.path, dockerfile: context.dockerfile, platform: block.platform, epoch: spec.sourceDateEpoch), for: block)
    let archive = scratch + "/image.tar"
    try call(builder.export(to: archive), for: block)
    return try importer(block).archive(archive)
  }

  private func call(_ command: Command, for block: BlockSpec) throws {
    try checkpoint(.blocks)
    try console.write("[blockfarm] \(command.program) \(command.arguments.joined(separator: " "))")
    var reader = ImageBuildConsole()
    let killsBefore = Self.outOfMemoryKills()
    let end = try follow(command) { reader.read($0) }
    let failure = reader.failure(
      end, block: block.name, tool: command.program, platform: block.platform, log: directory.consolePath,
      wasOutOfMemory: Self.outOfMemoryKills() > killsBefore)
    if let failure { throw failure }
  }
}
