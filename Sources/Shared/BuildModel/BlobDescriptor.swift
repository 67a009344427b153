/// A content descriptor (OCI image-spec, descriptor.md) of a blob in the store.
package struct BlobDescriptor: Codable, Hashable, Sendable {
  package var digest: Digest
  package var size: Int64
  package init(digest: Digest, size: Int64) {
    self.digest = digest
    self.size = size
  }
}
