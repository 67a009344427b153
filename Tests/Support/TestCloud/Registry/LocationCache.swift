/// Remembers for a while which image a registry location belongs to, also that there was none: as the real token endpoint does.
struct LocationCache: Sendable {
  private var found: [String: (image: Int?, until: CloudDate)] = [:]

  /// The id of the image whose location ends in `/<repository>`.
  mutating func image(_ repository: String, _ database: CloudDatabase, seconds: Int, now: CloudDate) -> Int? {
    if let known = found[repository], known.until > now { return known.image }
    let image = database.rows("image").first { $0["is_stored_at__image_location"].string?.hasSuffix("/" + repository) ?? false }?.id
    found[repository] = (image, now.adding(seconds: seconds))
    return image
  }
}
