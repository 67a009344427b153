import BuildModel

/// What a collection left on a host, and how a person can make room there all the same.
enum DiskUseText {
  static func line(_ use: DiskUse, host: HostName) -> String { "\(ByteCount(bytes: use.bytes))  \(what(use)): \(remedy(use.kind, host: host))" }

  private static func what(_ use: DiskUse) -> String {
    switch use.kind {
    case .unacknowledged: "results of \(Counted(use.attempts, "build")) that no farm has fetched"
    case .running: "\(Counted(use.attempts, "build")) that \(use.attempts == 1 ? "runs" : "run")"
    case .downloads: "downloaded sources"
    case .sharedState: "shared state of bitbake"
    case .checkouts: "checkouts in which nothing is built"
    case .sources: "source mirrors and parse caches"
    }
  }

  private static func remedy(_ kind: DiskUse.Kind, host: HostName) -> String {
    switch kind {
    case .unacknowledged:
      "'blockfarm build' with the same arguments fetches them, 'blockfarm cancel <request>' gives them up; "
        + "those of another farm go with 'blockfarm-worker gc --unacknowledged-days <days>' on the host"
    case .running: "they end by themselves, and 'blockfarm cancel <request>' ends them"
    case .downloads: "files in cache/downloads may be removed while nothing is built there; what is needed is fetched again"
    case .sharedState: "directories in cache/sstate may be removed while nothing is built there; the next builds take longer then"
    case .checkouts: "they go by themselves when a build needs the room"
    case .sources: "parse caches go by themselves when a build needs the room; mirrors in sources/ are sent again when they are removed"
    }
  }
}
