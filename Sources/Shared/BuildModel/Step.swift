/// A stage of a task. The first six run on the worker, the rest on the coordinator.
package enum Step: String, Codable, Hashable, Sendable, CaseIterable {
  case source, feed, blocks, hostapp, image, artifacts
  case collect, verify, fetch, preload, publish
}

/// How a step ended.
package struct StepResult: Codable, Hashable, Sendable {
  package enum Result: String, Codable, Hashable, Sendable { case done, reused, skipped, failed }
  package var name: Step
  package var outcome: Result
  @Seconds package var seconds: Double
  package init(name: Step, outcome: Result, seconds: Double) {
    self.name = name
    self.outcome = outcome
    self.seconds = seconds
  }
}
