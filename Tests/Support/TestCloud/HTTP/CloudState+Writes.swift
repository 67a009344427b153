import HTTPTypes

/// The fields of a body, read by the model.
struct WriteBody {
  var values: [String: JSONValue]
  /// The file of a multipart body.
  var asset: StoredAsset?

  var isEmpty: Bool { values.isEmpty && asset == nil }
}

extension CloudState {
  var rules: WriteRules { WriteRules(registry: registry) }

  // MARK: - POST

  mutating func create(_ call: ODataCall) throws(CloudRefusal) -> CloudReply {
    guard !call.isGuest, !call.resource.isReadOnly else { throw .unauthorized }
    let row = try insert(call, try body(call))
    let location = "/\(call.version.rawValue)/\(call.target.resource)(@id)?@id=\(row.id)"
    let isShort = call.options.custom["returnResource"] == "false"
    var reply = CloudReply.json(
      isShort ? ["id": .integer(row.id)] : projection(call).told(row, of: call.resource, ODataOptions()), status: 201)
    reply.headers[.location] = location
    return reply
  }

  private mutating func insert(_ call: ODataCall, _ body: WriteBody) throws(CloudRefusal) -> CloudRow {
    try checkNotAdminOnly(Set(body.values.filter { !$0.value.isNull && $0.value != false }.keys).subtracting(["is_of__class"]), call)
    var values: [String: JSONValue] = [:]
    for field in call.resource.fields { values[field.name] = body.values[field.name] ?? field.initial }
    if call.resource.field("created_at") != nil { values["created_at"] = .string(call.now.text) }
    if let asset = body.asset { values["asset"] = try assets.keep(asset) }
    for field in call.resource.fields where field.isRequired && values[field.name] ?? .null == .null { throw .broken }
    var new = CloudRow(id: 0, values: values)
    guard AccessRules(principal: call.access.principal, database: database).canWrite(call.resource, new) else { throw .unauthorized }
    var change = RowChange(resource: call.resource, old: nil, new: new, named: Set(body.values.keys), now: call.now)
    try rules.prepare(&change, &database)
    new = try database.insert(call.resource.name, change.new.values)
    change.new = new
    try finish(change)
    return database.row(call.resource.name, new.id) ?? new
  }

  // MARK: - PATCH and PUT

  mutating func change(_ call: ODataCall) throws(CloudRefusal) -> CloudReply {
    guard !call.isGuest, !call.resource.isReadOnly else { throw .unauthorized }
    try checkSelective(call)
    let isMultipart = call.request.contentType.hasPrefix("multipart/form-data")
    if isMultipart, call.target.key == nil { throw .invalid("A file can only be set by the key of its row.") }
    let sent = isMultipart ? nil : try call.request.object()
    if let sent, sent.isEmpty { throw .invalid("Nothing to change.") }
    let body = try body(call)
    if body.isEmpty, sent?["asset"] == nil { throw .broken }
    if try !mayChange(Set(body.values.keys), call) { return .changed(call) }
    for row in try writable(call) { try update(row, body, call) }
    return .changed(call)
  }

  private mutating func update(_ row: CloudRow, _ body: WriteBody, _ call: ODataCall) throws(CloudRefusal) {
    var new = row
    for (name, value) in body.values { new.values[name] = value }
    if let asset = body.asset { new.values["asset"] = try assets.keep(asset) }
    guard AccessRules(principal: call.access.principal, database: database).canWrite(call.resource, new) else { throw .unauthorized }
    var change = RowChange(resource: call.resource, old: row, new: new, named: Set(body.values.keys), now: call.now)
    try rules.prepare(&change, &database)
    try database.update(call.resource.name, change.new)
    try finish(change)
  }

  /// Changes the row that the key names, or makes it.
  mutating func put(_ call: ODataCall) throws(CloudRefusal) -> CloudReply {
    guard !call.isGuest, !call.resource.isReadOnly else { throw .unauthorized }
    guard let key = call.target.key else { throw .invalid("PUT needs a key.") }
    var body = try body(call)
    let found = try writable(call)
    if found.isEmpty {
      if case .natural(let parts) = key {
        for (name, value) in parts {
          if case .literal(let literal) = value { body.values[call.resource.fieldAliases[name] ?? name] = literal }
        }
      }
      _ = try insert(call, body)
    } else if try mayChange(Set(body.values.keys), call) {
      for row in found { try update(row, body, call) }
    }
    return .changed(call)
  }

  // MARK: - DELETE

  mutating func delete(_ call: ODataCall) throws(CloudRefusal) -> CloudReply {
    guard !call.isGuest, !call.resource.isReadOnly else { throw .unauthorized }
    try checkSelective(call)
    let found = try writable(call)
    if call.resource.name == "application", call.target.key != nil, found.isEmpty { throw .notFound }
    for row in found {
      try rules.checkDeletion(of: row, in: call.resource, database)
      if configuration.isStrict { try StrictRules.checkDeletion(of: row, in: call.resource, database) }
      try database.delete(call.resource.name, row.id)
    }
    return .changed(call)
  }

  // MARK: - Shared

  private func writable(_ call: ODataCall) throws(CloudRefusal) -> [CloudRow] {
    let allowed = try rows(call) { call.access.canWrite(call.resource, $0) }
    return projection(call).selected(allowed, of: call.resource, call.options)
  }

  mutating func finish(_ change: RowChange) throws(CloudRefusal) {
    if configuration.isStrict {
      try StrictRules(database: database, requiredAssets: configuration.requiredAssets, hasManifest: hasManifest).check(change)
    }
    try rules.finish(change, &database)
  }

  /// The real server changes every row it can reach; a careful client never asks for that.
  private func checkSelective(_ call: ODataCall) throws(CloudRefusal) {
    if configuration.isStrict, call.target.key == nil, call.options.filter == nil {
      throw .invalid("strict: \(call.request.method.rawValue) without key and filter.")
    }
  }

  private func adminOnly(_ names: Set<String>, _ call: ODataCall) -> Bool {
    guard !call.access.principal.isAdminSession else { return false }
    return call.resource.fields.contains { field in
      if case .adminOnly = field.access { names.contains(field.name) } else { false }
    }
  }

  private func checkNotAdminOnly(_ names: Set<String>, _ call: ODataCall) throws(CloudRefusal) {
    if adminOnly(names, call) { throw .unauthorized }
  }

  /// False when the request is to have no effect.
  private func mayChange(_ names: Set<String>, _ call: ODataCall) throws(CloudRefusal) -> Bool {
    guard adminOnly(names, call) else { return true }
    if configuration.adminRefusal == .unauthorized { throw .unauthorized }
    return false
  }

  private func body(_ call: ODataCall) throws(CloudRefusal) -> WriteBody {
    var sent: [String: JSONValue]
    var asset: StoredAsset?
    if call.request.contentType.hasPrefix("multipart/form-data") {
      guard call.resource.name == "release_asset" else { throw .invalid("\(call.resource.name) has no file.") }
      let form = try MultipartForm(call.request.body, contentType: call.request.contentType)
      sent = form.fields.mapValues { .string($0) }
      guard sent["asset"] == nil else { throw .invalid("\"asset\" must be a file.") }
      asset = try form.files["asset"].map { file throws(CloudRefusal) in try StoredAsset(file) }
    } else {
      sent = try call.request.object()
    }
    try VersionedBody.translate(&sent, call, database)
    var values: [String: JSONValue] = [:]
    for (name, value) in sent {
      guard let field = call.resource.field(name), VersionedBody.isWritable(field, call) else {
        if configuration.isStrict { throw .invalid("strict: \(call.resource.name) has no writable field \"\(name)\" in \(call.version.rawValue).") }
        continue
      }
      values[field.name] = try FieldValues.parse(value, as: field)
    }
    return WriteBody(values: values, asset: asset)
  }
}

extension CloudReply {
  /// A successful PATCH, PUT or DELETE, whatever it found.
  static func changed(_ call: ODataCall) -> CloudReply {
    CloudReply(
      status: 200, headers: call.version == .v6 ? [.contentType: "application/json; charset=utf-8"] : [:],
      body: .init(string: call.version.changeReply))
  }
}
