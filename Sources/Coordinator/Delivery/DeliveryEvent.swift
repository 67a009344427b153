import BuildModel

/// What happens while a device type is collected and delivered.
package enum DeliveryEvent: Sendable {
  case stepStarted(Slug, Step)
  case stepEnded(Slug, StepResult)
  case notice(Slug, String)
}
