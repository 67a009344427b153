/// What the versions of the API understand differently in bodies.
enum VersionedBody {
  static func isWritable(_ field: CloudResource.Field, _ call: ODataCall) -> Bool {
    if case .computed = field.access { return false }
    // The public write type of newer versions lacks it.
    return !(call.resource.name == "application" && field.name == "is_host" && call.version != .v6)
  }

  /// Turns a v6 body into one of the shared model.
  static func translate(_ body: inout [String: JSONValue], _ call: ODataCall, _ database: CloudDatabase) throws(CloudRefusal) {
    guard call.version == .v6 else { return }
    switch call.resource.name {
    case "application": try application(&body, call, database)
    case "release":
      if let type = body.removeValue(forKey: "release_type") {
        guard type == "final" || type == "draft" else { throw .invalid("release_type must be \"final\" or \"draft\".") }
        let isFinal = JSONValue.bool(type == "final")
        if let given = body["is_final"], given != isFinal { throw .invalid("release_type and is_final contradict each other.") }
        body["is_final"] = isFinal
      }
      try contract(&body)
    case "image": try contract(&body)
    default: break
    }
  }

  private static func application(
    _ body: inout [String: JSONValue], _ call: ODataCall, _ database: CloudDatabase
  ) throws(CloudRefusal) {
    if let slug = body.removeValue(forKey: "device_type") {
      guard let alias = database.first("device_type_alias", where: "is_referenced_by__alias", is: slug) else {
        throw CloudRefusal(status: 404, message: "Device type not found: \(slug.string ?? slug.text)")
      }
      body["is_for__device_type"] = alias["references__device_type"]
    }
    // What the real server takes when none is named is not known.
    if call.request.method == .post, body["organization"] == nil, let first = call.access.principal.user?.organizations.min() {
      body["organization"] = .integer(first)
    }
  }

  private static func contract(_ body: inout [String: JSONValue]) throws(CloudRefusal) {
    guard let text = body["contract"]?.string else { return }
    guard let value = JSONValue(parsing: text.utf8) else { throw .invalid("\"contract\" must be JSON.") }
    body["contract"] = value
  }
}
