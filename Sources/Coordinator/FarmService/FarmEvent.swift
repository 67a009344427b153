import BuildModel
import Delivery
import Reports
import Scheduling

/// What happens while a request is worked on, for a table or for one line each.
package enum FarmEvent: Sendable {
  case notice(String)
  case requestStarted(RequestID, tasks: [Slug], isResumed: Bool)
  /// A host joined or was left out, with the reason.
  case host(HostName, String)
  case waiting(Slug, [HostReason])
  case dispatched(Slug, HostName, attempt: Int)
  case stepStarted(Slug, Step)
  case progress(Slug, Step, done: Int, total: Int)
  case stepEnded(Slug, StepResult)
  /// The link to the host was lost; the attempt goes on there.
  case interrupted(Slug, HostName, String)
  /// An attempt failed and another one follows: on `host` where no other host can do it, nil where one can. The text is why it failed.
  case retrying(Slug, on: HostName?, String)
  case taskNotice(Slug, String)
  case ended(DeviceTypeReport)
}

extension FarmEvent {
  init(_ event: DeliveryEvent) {
    switch event {
    case .stepStarted(let slug, let step): self = .stepStarted(slug, step)
    case .stepEnded(let slug, let result): self = .stepEnded(slug, result)
    case .notice(let slug, let text): self = .taskNotice(slug, text)
    }
  }
}
