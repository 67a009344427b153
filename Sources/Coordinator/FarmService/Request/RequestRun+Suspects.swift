import BuildModel
import Scheduling
import Store

extension RequestRun {
  /// Counts a crash of the last coordinator against what it was working on. This comes before anything of those device types is read: it may be
  /// what the crash came from.
  func giveUpAfterCrashes() async throws {
    let directory = context.configuration.state
    let crashes = try await context.store.crashes(of: request.id, didCrash: CrashMark.isSet(in: directory))
    try CrashMark.arm(in: directory)
    let verdict = CrashRule.verdict(crashes: crashes)
    for slug in verdict.failed.sorted() { try await fail(slug, CrashRule.failure(of: slug)) }
    suspects = verdict.suspects.filter { work[$0] != nil && reports[$0] == nil }
    for slug in suspects {
      report(.taskNotice(slug, "blockfarm crashed twice in a row while it was working on this; it is worked on when no other such device type is"))
    }
  }

  /// Begins one of the suspects when none is in hand.
  func beginNextSuspect(in group: inout ThrowingTaskGroup<Finished, any Error>) async throws {
    if let slug = suspectInHand, reports[slug] == nil { return }
    suspectInHand = nil
    guard let next = suspects.first(where: { reports[$0] == nil }) else { return }
    suspects.removeAll { $0 == next || reports[$0] != nil }
    suspectInHand = next
    try await context.store.takeInHand(request.id, [next])
    try await begin(next, in: &group)
  }
}
