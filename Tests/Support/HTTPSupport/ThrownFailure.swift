import HTTP

/// An outcome that a test goes on from and that did not come.
package struct Missing: Error {
  package let what: String
  package init(what: String) { self.what = what }
}

/// The failure that a call throws; nil when it throws none or another kind.
package func exchangeFailure(_ body: () async throws -> Void) async -> (any ExchangeFailure)? {
  do { try await body() } catch { return error as? any ExchangeFailure }
  return nil
}

/// Empty where there is no failure.
package func text(_ failure: (any ExchangeFailure)?) -> String { failure.map { "\($0)" } ?? "" }
