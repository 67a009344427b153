import FoundationEssentials

/// Holds the one current state; requests are carried out one after the other, each wholly or not at all.
package actor CloudEngine {
  private var state: CloudState

  init(_ state: CloudState) { self.state = state }

  func answer(_ request: CloudRequest) -> CloudReply { state.answer(request, now: CloudDate(Date())) }

  /// Looks at the state or changes it, past the API and its rules.
  package func edit<Value: Sendable>(_ body: @Sendable (inout CloudState) throws -> Value) rethrows -> Value { try body(&state) }
}
