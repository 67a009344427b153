import BlobStore
import Store

/// What every step of a delivery works with.
package struct DeliveryContext: Sendable {
  package let store: StateStore
  package let blobs: BlobStore
  /// Directory for what is being made, on the file system of `blobs`.
  package let scratch: String

  package init(store: StateStore, blobs: BlobStore, scratch: String) {
    self.store = store
    self.blobs = blobs
    self.scratch = scratch
  }
}
