import BuildModel
import Executors
import Store

extension RequestRun {
  /// A cancelled request: waiting tasks and deliveries end at once, running attempts are ended on their hosts and then report their own outcome.
  func checkCancellation() async throws {
    guard !isCancelled else { return }
    let wanted = try await context.store.request(request.id)?.cancelRequested ?? false
    guard wanted || context.interruption.isRequested else {
      // A host file that was added meanwhile may be what a waiting task needs.
      if !waiting.isEmpty { await pool.pickUpNew() }
      return
    }
    isCancelled = true
    for slug in waiting.sorted() { try await fail(slug, Failure(kind: .cancelled, step: nil, reason: "cancelled")) }
    for (slug, delivery) in deliveries {
      report(.taskNotice(slug, "cancelling"))
      delivery.cancel()
    }
    for (slug, item) in work where reports[slug] == nil && deliveries[slug] == nil {
      guard let attempt = item.attempts.last, let client = await pool.client(attempt.host) else { continue }
      try await context.store.set(attempt.id, state: .cancelling)
      report(.taskNotice(slug, "cancelling on \(attempt.host)"))
      do {
        _ = try await client.cancel(attempt.id)
      } catch {
        try await fail(
          slug,
          Failure(kind: .cancelled, step: nil, reason: "cancelled, but \(attempt.host) could not be told and may go on: \(error)"))
      }
    }
    // Nobody follows their attempts.
    for slug in suspects { try await fail(slug, Failure(kind: .cancelled, step: nil, reason: "cancelled")) }
  }
}
