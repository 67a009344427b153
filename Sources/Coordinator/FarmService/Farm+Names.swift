import BuildModel
import CanonicalJSON
import Store

extension Farm {
  /// The device type of a request that a person means by any of its names.
  package func deviceType(_ text: String, of request: RequestRecord) async throws -> Slug {
    let all = try await context.store.tasks(of: request.id).map { (key: $0.slug, names: Self.names(of: $0)) }
    do {
      if let found = try DeviceTypeNames.find(text, among: all) { return found }
    } catch {
      throw FarmError.usage(
        "'\(text)' stands for several device types of request \(request.id): \(error.candidates.joined(separator: ", ")); name one of them")
    }
    let near = DeviceTypeNames.nearest(to: text, among: all.map(\.names))
    throw FarmError.usage(
      "'\(text)' is not part of request \(request.id); "
        + (near.isEmpty ? "it has \(all.count) device types ('blockfarm status' lists them)" : "known: \(near.joined(separator: ", "))"))
  }

  /// Of a plan that this version cannot read, the slug and the machine are left.
  private static func names(of task: TaskRecord) -> DeviceTypeNames {
    struct Planned: Decodable { var deviceType: DeviceType }
    if let planned = try? CanonicalJSON.decode(Planned.self, from: task.planned) { return DeviceTypeNames(planned.deviceType) }
    return DeviceTypeNames(slug: task.slug, machine: task.machine, file: nil, aliases: [])
  }
}
