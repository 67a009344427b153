import BlobStore
import BuildModel
import Glibc

extension AttemptDirectory {
  /// Whether the attempt's owner has all that he wants of its outcome. Until then nothing removes the outcome or its blobs.
  package var isAcknowledged: Bool { access(acknowledgedPath, F_OK) == 0 }

  /// Notes that the owner has fetched what the outcome names. An empty file needs no space for its content; the work goes first, so that there is
  /// some for its name. `keepsWork` leaves the work tree for a person to look at.
  package func acknowledge(keepsWork: Bool) throws(AttemptError) {
    if !keepsWork { removeWork() }
    let descriptor = open(acknowledgedPath, O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system(operation: "create", path: acknowledgedPath, errno: errno) }
    close(descriptor)
    try DurableFile.syncDirectory(of: acknowledgedPath)
  }

  /// Removes what the attempt worked with and what it built; its outcome, its log, its blobs and the checkout stay. The attempt's own runner names the
  /// slot that it holds. Returns the bytes freed.
  @discardableResult
  package func removeWork(in slot: WorkSlot? = nil, withCheckout: Bool = false) -> Int64 {
    let built = slot?.clear(withCheckout: withCheckout) ?? WorkSlot.clear(of: id, root: root, withCheckout: withCheckout)
    return [treePath, scratchPath, feedPath].reduce(built) { $0 + DirectoryRemoval.remove($1) }
  }
}
