import BuildModel
import Store

extension EngineStanding {
  /// Whether the living engine works on the request.
  func worksOn(_ request: RequestID) -> Bool { isAlive && owner?.request == request }

  /// Why nobody works on a request that has not ended, and what to do; nil where somebody does.
  func note(on request: RequestID) -> String? {
    if worksOn(request) { return nil }
    let remedy = "'blockfarm build' with the same arguments continues it, and 'blockfarm cancel \(request)' ends it"
    guard let owner else { return "nobody works on it; \(remedy)" }
    if isAlive {
      let other = owner.request.map { "works on request \($0)" } ?? "has just begun"
      return "nobody works on it: the blockfarm of this state (process \(owner.pid)) \(other); \(remedy)"
    }
    guard owner.request == request else { return "nobody works on it; \(remedy)" }
    let end = owner.isOfEarlierBoot ? "its machine was started again since" : "it has died"
    return "nobody works on it: its blockfarm was process \(owner.pid), and \(end). What runs on the hosts goes on there; \(remedy)"
  }
}
