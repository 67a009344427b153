import ArgumentParser
import BlobStore
import BuildModel
import FoundationEssentials
import Glibc

/// Moves blobs in and out by digest.
struct Blob: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Move blobs in and out by digest.", subcommands: [Has.self, Get.self, Put.self])

  /// Which of the blobs are missing.
  struct Has: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Read descriptors, one JSON object a line, and print the missing ones.")
    @OptionGroup var location: RootOption

    func run() throws {
      try StandardOutput.begin()
      let store = try BlobStore(root: try location.resolve() + "/blobs")
      try StandardOutput.line(store.missing(try StandardInput.decodeLines(BlobDescriptor.self)))
    }
  }

  /// Sends blobs.
  struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Read descriptors, one JSON object a line, and print the blobs as frames.")
    @OptionGroup var location: RootOption

    func run() throws {
      try StandardOutput.begin()
      let store = try BlobStore(root: try location.resolve() + "/blobs")
      let wanted = try StandardInput.decodeLines(BlobDescriptor.self)
      if let first = store.missing(wanted).first { throw BlobStoreError.notFound(first.digest) }
      for blob in wanted {
        try StandardOutput.write(try BlobFrame.header(blob))
        var problem: (any Error)?
        try FileReader.read(store.path(blob.digest)) { piece in
          guard problem == nil else { return }
          do { try StandardOutput.write(piece) } catch { problem = error }
        }
        if let problem { throw problem }
      }
      try StandardOutput.write(BlobFrame.end)
    }
  }

  /// Takes blobs.
  struct Put: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Read blobs as frames, and print the descriptors of what was taken.")
    @OptionGroup var location: RootOption

    func run() throws {
      try StandardOutput.begin()
      let store = try BlobStore(root: try location.resolve() + "/blobs")
      let reader = BlobFrameReader(store: store)
      try StandardInput.read { try reader.feed(Array($0)) }
      guard reader.isFinished else { throw BlobStoreError.malformedFrame("the stream ended early") }
      try StandardOutput.line(reader.received)
    }
  }
}
