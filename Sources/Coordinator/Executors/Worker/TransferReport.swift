/// What a transfer of blobs did.
package struct TransferReport: Hashable, Sendable {
  package var sentBlobs: Int
  package var sentBytes: Int64
  /// Blobs that the receiving side had and that were not sent again.
  package var alreadyThere: Int

  package init(sentBlobs: Int, sentBytes: Int64, alreadyThere: Int) {
    self.sentBlobs = sentBlobs
    self.sentBytes = sentBytes
    self.alreadyThere = alreadyThere
  }
}
