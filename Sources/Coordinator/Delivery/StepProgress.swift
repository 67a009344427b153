import BuildModel

/// Reports the steps of one device type, with the seconds that each took.
struct StepProgress: Sendable {
  let slug: Slug
  let report: @Sendable (DeliveryEvent) -> Void

  /// Runs a step between its two events and gives its result along with the value.
  func step<Value: Sendable>(_ name: Step, _ body: () async throws -> Value) async throws -> (Value, StepResult) {
    let start = Timestamp.now
    report(.stepStarted(slug, name))
    let value = try await body()
    let result = StepResult(name: name, outcome: .done, seconds: Timestamp.now.seconds(since: start))
    report(.stepEnded(slug, result))
    return (value, result)
  }
}
