import BuildModel
import FoundationEssentials
import Glibc

/// Reads a checkout from disk: manifests, contracts and what git knows. Synchronous; repositories may be read at the same time.
package enum RepositoryReader {
  /// The device types of a checkout, at the cost of its manifests alone.
  package static func list(_ source: RepositorySource) throws(PlanningError) -> RepositoryListing {
    var listing = RepositoryListing(name: source.name)
    listing.isPreferred = source.isPreferred
    guard access(source.path + "/.git", F_OK) == 0 else {
      throw .repository(name: source.name, reason: "\(source.path) is no git checkout", hint: "'source' must name one")
    }
    try ManifestFiles.read(source.path, into: &listing)
    guard !listing.deviceTypes.isEmpty || !listing.brokenManifests.isEmpty else {
      throw .repository(name: source.name, reason: "no device type manifest (*.coffee or *.json) in \(source.path)", hint: "")
    }
    return listing
  }

  /// Everything that planning needs of a checkout.
  package static func read(_ source: RepositorySource, changes: UncommittedChanges = .refused) throws(PlanningError) -> DeviceRepository {
    let listing = try list(source)
    var contracts = ContractFiles(root: source.path)
    for root in source.contracts {
      contracts.collect(below: root)
      guard contracts.holdsContract(below: root) || !source.demandsContracts else { throw noContracts(below: root, of: source) }
    }
    let submodules = try GitSubmodules.names(of: source)
    let untracked = try ContractTracking.untracked(contracts.found, of: source, submodules: submodules)
    let git = try GitState.read(source, changes: changes, untracked: untracked)
    let note = untracked.isEmpty ? nil : untrackedNote(untracked, areUsed: changes.areBuilt)
    if !changes.areBuilt { contracts.remove(untracked) }
    let (compositions, unclaimed) = try compositions(source.path, listing)
    let base = MetaBalenaBase.read(source, git.checkout, version: git.version)
    var repository = DeviceRepository(
      source: source, listing: listing, contracts: contracts.found, contractProblems: contracts.problems, compositions: compositions,
      releaseContract: try ReleaseContract.read(source.path), checkout: git.checkout, version: git.version, baseVersion: base.version,
      isRelease: git.isRelease, commitTime: git.commitTime, locations: git.locations,
      notices: git.notices + listing.notices + [note].compactMap { $0 } + contracts.notices + unclaimed + base.notices + stampNotice(source.path, git)
    )
    repository.changes = git.changes
    if !changes.areBuilt { repository.unusedContracts = [note].compactMap { $0 } }
    return repository
  }

  private static func untrackedNote(_ files: [String], areUsed: Bool) -> String {
    let subject =
      files.count == 1
      ? "git does not track \(files[0]), so it"
      : "git does not track \(Counted(files.count, "contract")), the first \(files[0]), so they"
    let verb = files.count == 1 ? ("makes", "is") : ("make", "are")
    return areUsed
      ? "\(subject) \(verb.0) no release"
      : "\(subject) \(verb.1) not used; 'git add --force' and a commit, or --allow-dirty, would use \(files.count == 1 ? "it" : "them")"
  }

  /// A directory that was named in vain: not there, or without a contract.
  private static func noContracts(below root: String, of source: RepositorySource) -> PlanningError {
    let isThere = RepositoryFiles.isDirectory(source.path + "/" + root)
    let there = ((try? RepositoryFiles.names(source.path)) ?? []).filter { !$0.hasPrefix(".") && RepositoryFiles.isDirectory(source.path + "/" + $0) }
    return .repository(
      name: source.name, reason: "'contracts' names '\(root)', which \(isThere ? "holds no contract" : "does not exist in \(source.path)")",
      hint: "the repository has the directories \(there.prefix(40).joined(separator: ", "))")
  }

  /// The build stamps the file `VERSION` into the image, while the release's version comes from the tag: at the tag itself they are to agree.
  private static func stampNotice(_ directory: String, _ git: GitState) -> [String] {
    let path = directory + "/VERSION"
    guard git.isRelease, access(path, F_OK) == 0 else { return [] }
    let text: String
    do throws(PlanningError) { text = String(decoding: try RepositoryFiles.contents(path).prefix(160), as: UTF8.self) } catch { return ["\(error)"] }
    let stamp = text.split(omittingEmptySubsequences: true, whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
    return stamp == git.version.text ? [] : ["the file VERSION says '\(stamp)', and the tag \(git.version): images will carry the former"]
  }

  /// meta-balena's file and those of the machines, with a notice for each that belongs to no machine.
  static func compositions(_ directory: String, _ listing: RepositoryListing) throws(PlanningError) -> (CompositionFiles, notices: [String]) {
    // The machine of a manifest that cannot be read usually has its name.
    let machines = Set(listing.deviceTypes.map(\.yocto.machine.text) + listing.brokenManifests.map(\.file))
    var files = CompositionFiles()
    var notices: [String] = []
    let base = directory + "/" + Composition.basePath
    if access(base, F_OK) == 0 {
      do throws(PlanningError) { files.base = try CompositionDocument.parse(try RepositoryFiles.contents(base), file: base) } catch {
        files.baseProblem = error
      }
    }
    for name in try RepositoryFiles.names(directory) where name.hasSuffix(Composition.overlaySuffix) && name.count > Composition.overlaySuffix.count {
      let machine = String(name.dropLast(Composition.overlaySuffix.count))
      let path = directory + "/" + name
      guard machines.contains(machine) else {
        notices.append("\(name) is not used: the repository has no device type of machine \(machine)")
        continue
      }
      do throws(PlanningError) {
        files.overlays[machine] = try CompositionDocument.parse(try RepositoryFiles.contents(path), file: path)
      } catch {
        files.overlayProblems[machine] = error
      }
    }
    return (files, notices)
  }
}
