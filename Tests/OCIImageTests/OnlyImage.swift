import OCIImage

extension StoredImages {
  /// The only image that is there.
  func only() throws -> StoredImage {
    var images = self
    return try images.select()
  }
}
