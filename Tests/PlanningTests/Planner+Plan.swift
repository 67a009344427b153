import Planning

extension Planner {
  /// The plan of a request that asks neither a cloud nor a feed for anything.
  static func plan(_ request: PlanRequest, repositories: [DeviceRepository]) throws(PlanningError) -> Plan {
    try draft(request, readings: repositories.map(RepositoryReading.usable)).plan(with: PlanFacts())
  }
}
