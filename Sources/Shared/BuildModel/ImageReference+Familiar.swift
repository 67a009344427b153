extension ImageReference {
  /// Reads a reference as container programs take it, where a name without a registry is one of Docker Hub's: `alpine:3` is
  /// `docker.io/library/alpine:3`. Throws ``InvalidReference``.
  package init(familiar text: String) throws(InvalidReference) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let host = parts[0]
    if parts.count == 2, host.contains(".") || host.contains(":") || host == "localhost" {
      try self.init(text)
    } else {
      try self.init("docker.io/" + (parts.count == 1 ? "library/" : "") + text)
    }
  }
}
