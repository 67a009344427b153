import BuildModel
import CanonicalJSON
import Reports
import Store

/// Device types of requests, by any of their names.
extension Farm {
  /// Path of the coordinator's copy of the log of a device type's last attempt (or the given one).
  ///
  /// `name`: slug, file name, alias or machine. `text`: a request's id or its beginning; nil: the last request with an attempt of the device type.
  package func log(of name: String, request text: String?, attempt number: Int?) async throws -> String {
    let requests = try await requests(text)
    var known: Set<String> = []
    for request in requests {
      let attempts = try await context.store.attempts(of: request.id)
      let tried = try await tasks(of: request).filter { task in attempts.contains { $0.id.slug == task.slug } }
      known.formUnion(tried.map(\.slug.text))
      guard let slug = try Self.find(name, in: tried)?.slug else { continue }
      let own = attempts.filter { $0.id.slug == slug }
      guard let found = number.map({ wanted in own.first { $0.id.number == wanted } }) ?? own.last else {
        throw FarmError.usage(
          "request \(request.id) has no attempt \(number ?? 0) of \(slug), only \(own.map { "\($0.id.number)" }.joined(separator: ", "))")
      }
      return DeployTree(output: request.output, request: request.id).log(found.id)
    }
    if let reason = try await reasonWithoutAttempt(name, in: requests) { throw FarmError.usage(reason) }
    let place = text == nil ? "no request has" : "request \(requests.first?.id.text ?? "") has no"
    guard !known.isEmpty else {
      throw FarmError.usage("\(place)\(text == nil ? " an" : "") attempt yet, so '\(name)' has no log: everything was reused, or is still waiting")
    }
    let near = NearestNames.of(name, among: known)
    throw FarmError.usage(
      "\(place)\(text == nil ? " an" : "") attempt of '\(name)'; there are attempts of: "
        + (near.isEmpty ? known.sorted().prefix(20).map { $0 } : near).joined(separator: ", ") + " ('blockfarm status' lists all device types)")
  }

  /// Why there is no log of a device type that never got as far as an attempt: its end in the newest request that has it. nil where it has none.
  private func reasonWithoutAttempt(_ name: String, in requests: [RequestRecord]) async throws -> String? {
    for request in requests {
      guard let slug = try Self.find(name, in: try await tasks(of: request))?.slug else { continue }
      let task = try await context.store.tasks(of: request.id).first { $0.slug == slug }
      guard let task, let record = task.record else { return nil }
      let report = try task.decode(DeviceTypeReport.self, from: record, "report")
      guard report.outcome != .built, report.outcome != .reused, report.attempts == 0 else { return nil }
      return "there is no log of \(slug): no attempt of it was begun in request \(request.id); \(report.end)"
    }
    return nil
  }

  /// A device type in a request, and how far the request is; the last request that has it where none is given.
  package func status(of name: String, request text: String?) async throws -> (RequestStatus, TaskStatus) {
    let requests = try await requests(text)
    for request in requests {
      guard let task = try Self.find(name, in: try await tasks(of: request)) else { continue }
      let status = try await status(request)
      guard let found = status.tasks.first(where: { $0.slug == task.slug }) else { continue }
      return (status, found)
    }
    let known = try await tasks(of: requests[0]).map(\.names)
    let near = DeviceTypeNames.nearest(to: name, among: known)
    throw FarmError.usage(
      "'\(name)' is not part of \(text == nil ? "any request" : "request \(requests[0].id)"); "
        + (near.isEmpty
          ? "\(text == nil ? "the newest one" : "it") has \(Counted(known.count, "device type")) ('blockfarm status' lists them)"
          : "known: \(near.joined(separator: ", "))"))
  }

  /// All requests, the newest first, or the one that is meant. Never empty.
  private func requests(_ text: String?) async throws -> [RequestRecord] {
    guard text == nil else { return [try await request(text)] }
    let newest = try await request(nil)
    return [newest] + (try await context.store.requests(limit: 1000)).filter { $0.id != newest.id }
  }

  private struct NamedTask {
    var slug: Slug
    var names: DeviceTypeNames
  }

  private func tasks(of request: RequestRecord) async throws -> [NamedTask] {
    try await context.store.tasks(of: request.id).map { NamedTask(slug: $0.slug, names: Self.names(of: $0)) }
  }

  /// Of a plan that this version cannot read, the slug and the machine are left.
  private static func names(of task: TaskRecord) -> DeviceTypeNames {
    struct Planned: Decodable { var deviceType: DeviceType }
    if let planned = try? CanonicalJSON.decode(Planned.self, from: task.planned) { return DeviceTypeNames(planned.deviceType) }
    return DeviceTypeNames(slug: task.slug, machine: task.machine, file: nil, aliases: [])
  }

  private static func find(_ text: String, in tasks: [NamedTask]) throws -> NamedTask? {
    let slug: Slug?
    do {
      slug = try DeviceTypeNames.find(text, among: tasks.map { (key: $0.slug, names: $0.names) })
    } catch {
      throw FarmError.usage("'\(text)' stands for several device types: \(error.candidates.joined(separator: ", ")); name one of them")
    }
    return tasks.first { $0.slug == slug }
  }
}
