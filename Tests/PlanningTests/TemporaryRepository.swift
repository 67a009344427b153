import BuildModel
import Foundation
import TestGolden
import Testing

@testable import Planning

/// A git repository in a directory of its own that goes away with the test.
struct TemporaryRepository {
  let path: String
  let name: String

  /// One that is there already.
  init(path: String, name: String) { (self.path, self.name) = (path, name) }

  init(_ name: String, in scratch: String) throws {
    self.name = name
    path = scratch + "/" + name
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try git("init", "--quiet", "--initial-branch=master")
  }

  @discardableResult
  func git(_ arguments: String...) throws -> String {
    let identity = ["-c", "user.name=tester", "-c", "user.email=tester@example.com", "-c", "protocol.file.allow=always"]
    return String(decoding: try GitCommand.run(identity + arguments, in: path, repository: name), as: UTF8.self)
  }

  func write(_ file: String, _ text: String) throws {
    let url = URL(filePath: path + "/" + file)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  func commit(_ message: String = "change") throws {
    try git("add", "--all")
    try git("commit", "--quiet", "--message", message)
  }

  var head: String { get throws { try git("rev-parse", "HEAD").trimmingCharacters(in: .whitespacesAndNewlines) } }

  static func manifest(slug: String, arch: String = "aarch64", state: String = "released", more: String = "") -> String {
    "module.exports =\n\tslug: '\(slug)'\n\tname: '\(slug)'\n\tarch: '\(arch)'\n\tstate: '\(state)'\n\(more)\tyocto:\n\t\tmachine: '\(slug)'\n"
      + "\t\timage: 'balena-image'\n\t\tversion: 'yocto-kirkstone'\n\t\tdeployArtifact: 'balena-image-\(slug).balenaos-img'\n\t\tcompressed: true\n"
  }

  /// One device type, committed and tagged.
  static func sample(_ name: String = "balena-acme", in scratch: String, tag: String? = "v6.1.24+rev3") throws -> TemporaryRepository {
    let repository = try TemporaryRepository(name, in: scratch)
    try repository.write("acme.coffee", manifest(slug: "acme"))
    try repository.write(".gitignore", "/*.json\n/build/\n")
    try repository.commit()
    if let tag { try repository.git("tag", tag) }
    return repository
  }

  var source: RepositorySource { RepositorySource(name: name, path: path, driver: .barys, contracts: ["contracts"]) }

  func read(allowDirty: Bool = false) throws -> DeviceRepository {
    try RepositoryReader.read(source, changes: allowDirty ? .built(in: path + ".changes") : .refused)
  }

  /// Checks the text of the error that reading gives.
  func checkError(_ golden: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let error = #expect(throws: PlanningError.self, sourceLocation: sourceLocation) { try read() }
    try Golden.checkDescription(golden, error, replacing: [path: "<path>"], sourceLocation: sourceLocation)
  }
}
