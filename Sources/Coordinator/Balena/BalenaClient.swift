import BuildModel
import CanonicalJSON
import FoundationEssentials
import HTTP

/// balenaCloud's API (balena-cloud-api.md): typed resources, version 7, one credential.
///
/// A refused or unknown credential makes the server answer as to a guest, so ``whoAmI()`` comes first. PATCH and DELETE are answered 200 also when nothing
/// was changed: callers read back. No POST is sent again before the row was looked for by its natural key.
package struct BalenaClient: Sendable {
  package enum Version: String, Sendable { case v6, v7 }

  package let http: HTTPClient
  /// Scheme, host and port; a path is not used.
  package let api: HTTPURL
  let authorization: HTTPAuthorization?

  /// Without a token only what is public can be read.
  package init(http: HTTPClient, api: HTTPURL, token: Secret?) {
    self.http = http
    self.api = api
    authorization = token.map { .bearer($0) }
  }

  /// Whether it has no credential, so that it sees public rows and changes none.
  package var isGuest: Bool { authorization == nil }

  /// Whose the credential is; nil when the server does not know it, or there is none.
  package func whoAmI() async throws -> CloudActor? {
    let request = HTTPRequest(.get, try url("/actor/v1/whoami"), authorization: authorization)
    let response = try await http.send(request, accepting: [401])
    return response.status == 401 ? nil : try Self.decode(CloudActor.self, from: response, what: "account")
  }

  // MARK: Reading

  /// All rows that meet a condition. `order` matters where only the first ones are wanted.
  package func rows<Row: ODataProjection>(
    _ type: Row.Type = Row.self, where condition: ODataFilter<Row.Table>, order: ODataOrder<Row.Table>? = nil, top: Int? = nil
  ) async throws -> [Row] {
    let options = Row.shape.options + (order.map { [$0.option] } ?? []) + (top.map { ["$top=\($0)"] } ?? [])
    return try await read(Row.self, .matching(condition), options)
  }

  /// The row by its id; nil where it is not there or not visible.
  package func row<Row: ODataProjection>(_ id: RowID<Row.Table>, as type: Row.Type = Row.self) async throws -> Row? {
    try await read(Row.self, .row(id), Row.shape.options).first
  }

  /// The row with a field that not every server has; `isKnown` is false on a server that has no such field.
  ///
  /// Such a server answers 500 (the open one) or 400, and an outage may be a 500 as well. It is the field only if it is answered so before and after
  /// the row's id was read; what refuses that, too, is thrown. Every other failure is tried again and thrown as ever.
  func probe<Row: ODataProjection>(_ id: RowID<Row.Table>, as type: Row.Type = Row.self) async throws -> (row: Row?, isKnown: Bool) {
    for isLast in [false, true] {
      let response = try await http.send(try reading(.row(id), Row.shape.options), accepting: [400, 500])
      if response.isSuccess { return (try Self.decode(Rows<Row>.self, from: response, what: "list of \(Row.Table.path)").d.first, true) }
      if !isLast { _ = try await row(id, as: RowIdentity<Row.Table>.self) }
    }
    return (nil, false)
  }

  private struct Rows<Row: Decodable>: Decodable { let d: [Row] }

  private func read<Row: ODataProjection>(
    _ type: Row.Type, _ target: ODataTarget<Row.Table>, _ options: [String]
  ) async throws -> [Row] {
    try Self.decode(Rows<Row>.self, from: try await http.send(try reading(target, options)), what: "list of \(Row.Table.path)").d
  }

  private func reading<Table: ODataTable>(_ target: ODataTarget<Table>, _ options: [String]) throws -> HTTPRequest {
    HTTPRequest(.get, try url("/v7/" + target.path(options)), authorization: authorization)
  }

  // MARK: Writing

  /// Makes a row, or finds the one that is there: after a refusal as duplicate, and after an answer that never came.
  ///
  /// `unique` is the natural key. The row is read back, so what is returned is what the server has.
  func create<Row: ODataProjection>(_ body: some Encodable & Sendable, unique: ODataFilter<Row.Table>) async throws -> Row {
    func find() async throws -> Row? { try await rows(Row.self, where: unique, order: .ascending(Row.Table.id), top: 1).first }
    var attempt = 1
    while true {
      do {
        _ = try await post(Row.Table.self, body)
        break
      } catch let error as HTTPError where error.status == 409 || error.leavesUnknown {
        // The server may be about to carry it out: it is looked for after the wait, right before the next POST.
        let waited = error.status != 409 ? try await pause(after: attempt, error) : false
        if let found = try await find() { return found }
        guard waited else { throw error }
        attempt += 1
      }
    }
    guard let made = try await find() else {
      throw BalenaError.vanished(url: api, what: Row.Table.path)
    }
    return made
  }

  /// Makes a row and gives its id. Only for rows without a natural key, of which one too many does no harm.
  func create<Table: ODataTable>(_ table: Table.Type, _ body: some Encodable & Sendable) async throws -> RowID<Table> {
    var attempt = 1
    while true {
      do {
        return try Self.decode(Created<Table>.self, from: try await post(table, body), what: Table.path).id
      } catch let error as HTTPError where error.leavesUnknown {
        guard try await pause(after: attempt, error) else { throw error }
        attempt += 1
      }
    }
  }

  /// Waits as before the repetition of any other request; false: this try was the last one.
  private func pause(after attempt: Int, _ error: HTTPError) async throws -> Bool {
    try await http.pause(after: attempt, of: HTTPRequest(.post, api, repetition: .harmless), error)
  }

  private struct Created<Table: ODataTable>: Decodable { let id: RowID<Table> }

  private func post<Table: ODataTable>(_ table: Table.Type, _ body: some Encodable) async throws -> HTTPResponse {
    try await http.send(try json(.post, "/v7/" + Table.path, body))
  }

  /// Changes one row. The server says yes to changing nothing at all: read back.
  func update<Table: ODataTable>(_ id: RowID<Table>, _ body: some Encodable & Sendable, version: Version = .v7) async throws {
    _ = try await http.send(try json(.patch, "/\(version.rawValue)/" + ODataTarget.row(id).path([]), body))
  }

  /// Changes the row only while it meets a condition; the server decides in one step.
  func update<Table: ODataTable>(_ id: RowID<Table>, while condition: ODataFilter<Table>, _ body: some Encodable & Sendable) async throws {
    let target = ODataTarget.matching(Table.id == id && condition)
    _ = try await http.send(try json(.patch, "/v7/" + target.path([]), body))
  }

  /// Removes one row, if it is there.
  func delete<Table: ODataTable>(_ id: RowID<Table>) async throws {
    _ = try await http.send(HTTPRequest(.delete, try url("/v7/" + ODataTarget.row(id).path([])), authorization: authorization), accepting: [404])
  }

  // MARK: Messages

  func json(_ method: HTTPRequest.Method, _ path: String, _ body: some Encodable) throws -> HTTPRequest {
    HTTPRequest(
      method, try url(path), fields: ["Content-Type": "application/json"], authorization: authorization,
      body: .bytes(try CanonicalJSON.encode(body)))
  }

  func url(_ path: String) throws(HTTPError) -> HTTPURL { try api.resolving(path) }

  static func decode<Value: Decodable>(_ type: Value.Type, from response: HTTPResponse, what: String) throws(HTTPError) -> Value {
    do {
      return try CanonicalJSON.decode(type, from: response.body)
    } catch {
      throw .decoding(url: response.url, what: what, reason: "\(error)")
    }
  }
}
