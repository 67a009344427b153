enum TagRules {
  static func check(_ change: RowChange) throws(CloudRefusal) {
    let key = change.new["tag_key"].string ?? ""
    guard !key.isEmpty else { throw .invalid("Tag keys cannot be empty.") }
    guard !key.contains(where: \.isWhitespace) else { throw .invalid("Tag keys cannot contain whitespace.") }
    for reserved in ["io.resin.", "io.balena."] where key.hasPrefix(reserved) {
      throw .invalid("Tag keys beginning with \(reserved) are reserved.")
    }
  }
}
