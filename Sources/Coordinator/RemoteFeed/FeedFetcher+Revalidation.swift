extension FeedFetcher {
  /// Tries with what the records say; where that fails and an index was not sent again, once more without them.
  func revalidating<Value>(
    _ body: (Revalidation) async throws(RemoteFeedError) -> Value
  ) async throws(RemoteFeedError) -> Value {
    let revalidation = Revalidation(isAllowed: true)
    do {
      return try await body(revalidation)
    } catch {
      guard revalidation.wasUsed, !Task.isCancelled else { throw error }
    }
    return try await body(Revalidation(isAllowed: false))
  }
}
