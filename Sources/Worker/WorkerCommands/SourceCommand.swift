import ArgumentParser
import BlobStore
import BuildModel
import FoundationEssentials
import Glibc
import Source

/// Takes in source code.
struct SourceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "source", abstract: "Take in source code.", subcommands: [Put.self])

  /// Takes a git bundle.
  struct Put: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Read a git bundle that leads to a commit into a mirror.")
    @Argument(help: "The mirror, as sha256:…") var mirror: String
    @Argument(help: "The commit that is wanted from it.") var commit: String
    @OptionGroup var location: RootOption

    private struct Answer: Encodable {
      var mirror: Digest
      var commit: CommitID
    }

    func run() throws {
      try StandardOutput.begin()
      guard let mirror = Digest(mirror) else { throw WorkerExit.usage("'\(mirror.prefix(80))' is no sha256 digest") }
      guard let commit = CommitID(commit) else { throw WorkerExit.usage("'\(commit.prefix(80))' is no commit id") }
      let root = try location.resolve()
      let bundle = "\(root)/bundle-\(getpid())"
      defer { unlink(bundle) }
      try Self.save(to: bundle)
      try SourceMirror(root: root, name: mirror).take(bundle: bundle, commit: commit)
      try StandardOutput.line(Answer(mirror: mirror, commit: commit))
    }

    private static func save(to path: String) throws {
      let descriptor = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw SourceError.system(operation: "create", path: path, errno: errno) }
      defer { close(descriptor) }
      try StandardInput.read { piece in
        if let code = FileWriter.write(piece, to: descriptor) { throw SourceError.system(operation: "write", path: path, errno: code) }
      }
    }
  }
}
