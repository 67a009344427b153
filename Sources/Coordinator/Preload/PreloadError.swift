import BuildModel
import Glibc
import OCIImage

/// Images could not be preloaded: what failed, on which file, why, and what helps.
package enum PreloadError: BlamedError, Equatable {
  /// A system call failed.
  case system(operation: String, path: String, errno: Int32)
  /// The disk image cannot be preloaded as it is.
  case unusableDiskImage(path: String, reason: String)
  /// The partition table of the disk image is damaged or of a kind that cannot be grown.
  case partitionTable(image: String, reason: String)
  /// No partition has a data label; `labels` are the ones that were found.
  case noDataPartition(image: String, labels: [String])
  /// The file system in a partition cannot be written safely.
  case fileSystem(path: String, reason: String)
  /// e2fsck or resize2fs failed; `output` is the end of what it printed.
  case tool(name: String, path: String, status: String, output: String)
  /// libext2fs refused something on the way; `path` is inside the file system.
  case write(path: String, reason: String)
  /// The image store that is already in the partition is damaged.
  case damagedStore(path: String, reason: String)
  /// A container image to preload is not what it says.
  case containerImage(name: String, reason: String)
  /// A layer to preload is not what it says.
  case layer(digest: Digest, reason: String)
  /// The image inside a flasher image could not be told; `candidates` are the files that were found.
  case flasher(image: String, reason: String, candidates: [String])
  /// Something that must not be replaced is at the place of the output.
  case output(path: String, reason: String)
  /// A split image is not what the disk image it was made from says.
  case splitImage(path: String, reason: String)

  package var blame: Blame {
    switch self {
    case .system(_, _, let code): PathFault.isCause(of: code) ? .request : .coordinator
    case .tool, .write: .coordinator
    case .unusableDiskImage, .partitionTable, .noDataPartition, .fileSystem, .damagedStore, .containerImage, .layer, .flasher, .output, .splitImage:
      .request
    }
  }

  package var description: String {
    switch self {
    case .system(let operation, let path, let code):
      "preload: \(operation) \(path): \(String(cString: strerror(code)))\(code == ENOSPC ? "; free some space there and try again" : "")"
    case .unusableDiskImage(let path, let reason): "preload: \(path): \(reason)"
    case .partitionTable(let image, let reason): "preload: partition table of \(image): \(reason)"
    case .noDataPartition(let image, let labels):
      "preload: \(image) has no partition labelled \(DataLabel.all.joined(separator: " or ")); labels found: "
        + (labels.isEmpty ? "none" : labels.joined(separator: ", "))
    case .output(let path, let reason): "preload: \(path) \(reason)"
    case .splitImage(let path, let reason): "split image: \(path): \(reason); split the disk image again"
    case .fileSystem(let path, let reason): "preload: file system in \(path): \(reason)"
    case .tool(let name, let path, let status, let output):
      "preload: \(name) on \(path) \(status)" + (output.isEmpty ? "" : ": \(output)")
    case .write(let path, let reason): "preload: writing \(path) into the data partition: \(reason)"
    case .damagedStore(let path, let reason):
      "preload: the image store in the data partition is damaged: \(path) \(reason); build the disk image again"
    case .containerImage(let name, let reason): "preload: image \(name): \(reason)"
    case .layer(let digest, let reason): "preload: layer \(digest): \(reason)"
    case .flasher(let image, let reason, let candidates):
      "preload: flasher \(image): \(reason)" + (candidates.isEmpty ? "" : "; found: \(candidates.joined(separator: ", "))")
    }
  }

  /// What was found while a layer was read; `digest` says which one.
  init(_ error: OCIImageError, layer digest: Digest) {
    switch error {
    case .system(let operation, let path, let code): self = .system(operation: operation, path: path, errno: code)
    case .malformed(_, let reason): self = .layer(digest: digest, reason: reason)
    case .store, .invalidPath, .compression, .selection, .output: self = .layer(digest: digest, reason: error.description)
    }
  }
}
