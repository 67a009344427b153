import HTTPTypes

/// A request below `/<version>/`, parsed and with its asking one known.
struct ODataCall {
  let request: CloudRequest
  let version: APIVersion
  let target: ODataTarget
  let options: ODataOptions
  let resource: CloudResource
  let access: AccessRules
  let now: CloudDate

  var isGuest: Bool { access.principal == .guest }
}

extension CloudState {
  mutating func odata(_ request: CloudRequest, _ path: Substring, _ version: APIVersion, now: CloudDate) throws(CloudRefusal) -> CloudReply {
    let target: ODataTarget
    let options: ODataOptions
    do throws(ODataSyntaxError) {
      target = try ODataParser.target(path)
      options = try ODataParser.options(request.query)
    } catch {
      throw .invalid(error.description)
    }
    let principal = try accounts.principal(request.credential, now: now)
    guard let resource = database.model.resource(target.resource, in: version) else { throw .unauthorized }
    let call = ODataCall(
      request: request, version: version, target: target, options: options, resource: resource,
      access: AccessRules(principal: principal, database: database), now: now)
    try ODataCheck(model: database.model).check(options, of: resource)
    if let action = target.action {
      guard request.method == .post else { throw .notFound }
      return try act(action, call)
    }
    switch request.method {
    case .get, .head: return try read(call)
    case .post: return try create(call)
    case .patch: return try change(call)
    case .put: return try put(call)
    case .delete: return try delete(call)
    default: throw .notFound
    }
  }

  func evaluator(_ call: ODataCall) -> ODataEvaluator {
    ODataEvaluator(
      database: database, isVisible: { AccessRules(principal: call.access.principal, database: database).canRead($0, $1) }, now: call.now,
      parameters: call.options.parameters)
  }

  func projection(_ call: ODataCall) -> ODataProjection {
    ODataProjection(evaluator: evaluator(call), version: call.version) { asset in
      assets.told(asset, url: publicURL, seconds: configuration.assetLinkSeconds, now: call.now)
    }
  }

  /// The rows that key and filter name, among those that `isAllowed`.
  func rows(_ call: ODataCall, isAllowed: (CloudRow) -> Bool) throws(CloudRefusal) -> [CloudRow] {
    var found: [CloudRow]
    switch call.target.key {
    case nil: found = database.rows(call.resource.name)
    case .id(let expression):
      let value = literal(expression, call)
      if let id = value.int {
        found = database.row(call.resource.name, id).map { [$0] } ?? []
      } else if let key = call.resource.uniqueKeys.first(where: { $0.count == 1 }), value.string != nil {
        found = database.rows(call.resource.name).filter { $0[key[0]] == value }
      } else {
        throw .invalid("\(call.resource.name) has no such key.")
      }
    case .natural(let parts):
      let names = Set(parts.keys.map { call.resource.fieldAliases[$0] ?? $0 })
      guard names == ["id"] || call.resource.uniqueKeys.contains(where: { Set($0) == names }) else {
        throw .invalid("Specified fields for natural key are not unique: \(names.sorted().joined(separator: ", ")).")
      }
      let wanted = parts.map { (name: call.resource.fieldAliases[$0.key] ?? $0.key, value: literal($0.value, call)) }
      found = database.rows(call.resource.name).filter { row in wanted.allSatisfy { row[$0.name] == $0.value } }
    }
    return found.filter(isAllowed)
  }

  private func literal(_ expression: ODataExpression, _ call: ODataCall) -> JSONValue {
    switch expression {
    case .literal(let value): value
    case .parameter(let name): call.options.parameters[name] ?? .null
    default: .null
    }
  }

  private func read(_ call: ODataCall) throws(CloudRefusal) -> CloudReply {
    let isOwnOnly = call.target.resource == "my_application"
    let projection = projection(call)
    let visible = try rows(call) { row in
      isOwnOnly ? call.access.canWrite(call.resource, row) : call.access.canRead(call.resource, row)
    }
    let found = projection.selected(visible, of: call.resource, call.options)
    if call.target.isCount { return .json(["d": .integer(found.count)]) }
    return .json(["d": .array(found.map { projection.told($0, of: call.resource, call.options) })])
  }

  private mutating func act(_ action: String, _ call: ODataCall) throws(CloudRefusal) -> CloudReply {
    switch (action, call.resource.name) {
    case ("canAccess", _): return try canAccess(call)
    case ("beginUpload", "release_asset"): return try beginUpload(call)
    case ("commitUpload", "release_asset"): return try commitUpload(call)
    case ("cancelUpload", "release_asset"): return try cancelUpload(call)
    default: throw .unauthorized
    }
  }

  /// Whether the asking one may do something with a row: one of `action` and `method` says what.
  private func canAccess(_ call: ODataCall) throws(CloudRefusal) -> CloudReply {
    let body = try call.request.object()
    let isReading: Bool
    switch (body["action"]?.string, body["method"]?.string) {
    case (let action?, nil):
      guard ["read", "create", "update", "delete", "push", "pull"].contains(action) else { throw .unauthorized }
      isReading = action == "read" || action == "pull"
    case (nil, let method?):
      guard ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(method) else { throw .invalid("\(method) is no method of the API.") }
      isReading = method == "GET"
    default: throw .invalid("Exactly one of \"action\" and \"method\" is needed.")
    }
    let allowed = try rows(call) { row in
      isReading ? call.access.canRead(call.resource, row) : call.access.canWrite(call.resource, row)
    }
    guard call.target.key != nil, let row = allowed.first else { throw .unauthorized }
    return .json(["d": [["id": .integer(row.id)]]])
  }
}
