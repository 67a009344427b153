/// How large the JSON documents of an image may be.
enum DocumentSize {
  /// Manifests, configs and indexes are never larger.
  static let limit = 4 << 20
}
