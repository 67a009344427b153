import FoundationEssentials

/// Evaluates checked expressions over the rows that the asking one may see.
struct ODataEvaluator {
  typealias Place = (resource: CloudResource, row: CloudRow)

  let database: CloudDatabase
  let isVisible: (CloudResource, CloudRow) -> Bool
  let now: CloudDate
  var parameters: [String: JSONValue] = [:]
  var variables: [String: Place] = [:]

  func matches(_ expression: ODataExpression, _ place: Place) -> Bool { values(expression, place).contains(.bool(true)) }

  /// The values of an expression: a path over several rows has one for each, all else has exactly one.
  func values(_ expression: ODataExpression, _ place: Place) -> [JSONValue] {
    switch expression {
    case .literal(let value): return [value]
    case .parameter(let name): return [parameters[name] ?? .null]
    case .path(let path): return pathValues(path, place)
    case .count(let path, let filter):
      let found = rows(path, place).filter { row in filter.map { matches($0, row) } ?? true }
      return [.integer(found.count)]
    case .lambda(let path, let quantifier, let variable, let condition):
      let check = { (row: Place) in
        var inner = self
        inner.variables[variable] = row
        return inner.matches(condition, place)
      }
      let found = rows(path, place)
      return [.bool(quantifier == .any ? found.contains(where: check) : found.allSatisfy(check))]
    case .call(let name, let arguments): return [call(name, arguments.map { values($0, place).first ?? .null })]
    case .not(let inner): return [.bool(!matches(inner, place))]
    case .binary(.and, let left, let right): return [.bool(matches(left, place) && matches(right, place))]
    case .binary(.or, let left, let right): return [.bool(matches(left, place) || matches(right, place))]
    case .binary(let operation, let left, let right):
      let rights = values(right, place)
      return values(left, place).flatMap { one in rights.map { apply(operation, one, $0) } }
    case .isIn(let left, let list):
      let allowed = list.flatMap { values($0, place) }
      return values(left, place).map { one in .bool(allowed.contains { isSame(one, $0) }) }
    }
  }

  private func start(_ path: [String], _ place: Place) -> (Place, ArraySlice<String>) {
    if let first = path.first, let variable = variables[first] { return (variable, path.dropFirst()) }
    return (place, path[...])
  }

  /// The rows to which a path of navigations leads.
  func rows(_ path: [String], _ place: Place) -> [Place] {
    let (origin, rest) = start(path, place)
    return rest.reduce([origin]) { places, name in places.flatMap { related(name, $0) } }
  }

  private func pathValues(_ path: [String], _ place: Place) -> [JSONValue] {
    let (origin, rest) = start(path, place)
    // A variable alone stands for its row.
    guard let last = rest.last else { return [.integer(origin.row.id)] }
    var places = [origin]
    for name in rest.dropLast() {
      let next = places.flatMap { related(name, $0) }
      // Nothing at the end of a to-one relation reads as null, as in an outer join.
      if next.isEmpty, case .forward = database.model.navigation(name, from: places.first?.resource ?? origin.resource) { return [.null] }
      places = next
    }
    return places.map { place in place.row[place.resource.field(last)?.name ?? last] }
  }

  /// Visible rows only.
  func related(_ name: String, _ place: Place) -> [Place] {
    switch database.model.navigation(name, from: place.resource) {
    case .forward(let field, let target):
      guard let id = place.row.reference(field.name), let row = database.row(target.name, id), isVisible(target, row) else { return [] }
      return [(target, row)]
    case .reverse(let source, let field):
      return database.rows(source.name).filter { $0.reference(field.name) == place.row.id && isVisible(source, $0) }.map { (source, $0) }
    case nil: return []
    }
  }

  private func isSame(_ a: JSONValue, _ b: JSONValue) -> Bool {
    if a == b { return true }
    if let left = a.double, let right = b.double { return left == right }
    // A number against a text of digits.
    if case .integer(let number) = a, case .string(let text) = b { return Int(text) == number }
    if case .string = a, case .integer = b { return isSame(b, a) }
    return false
  }

  private func apply(_ operation: ODataExpression.Operator, _ a: JSONValue, _ b: JSONValue) -> JSONValue {
    switch operation {
    case .eq: return .bool(isSame(a, b))
    case .ne: return .bool(!isSame(a, b))
    case .gt, .ge, .lt, .le:
      guard let order = Self.order(a, b) else { return false }
      switch operation {
      case .gt: return .bool(order > 0)
      case .ge: return .bool(order >= 0)
      case .lt: return .bool(order < 0)
      default: return .bool(order <= 0)
      }
    default:
      guard let left = a.double, let right = b.double else { return .null }
      let isWhole = a.int != nil && b.int != nil
      let result: Double
      switch operation {
      case .add: result = left + right
      case .sub: result = left - right
      case .mul: result = left * right
      case .div where right != 0: result = isWhole ? (left / right).rounded(.towardZero) : left / right
      case .mod where right != 0: result = left.truncatingRemainder(dividingBy: right)
      default: return .null
      }
      return isWhole ? .integer(Int(result)) : .number(result)
    }
  }

  /// Negative, zero or positive; nil when one is null or they cannot be compared.
  static func order(_ a: JSONValue, _ b: JSONValue) -> Int? {
    if let left = a.double, let right = b.double { return left < right ? -1 : left > right ? 1 : 0 }
    switch (a, b) {
    case (.string(let left), .string(let right)): return left < right ? -1 : left > right ? 1 : 0
    case (.bool(let left), .bool(let right)): return (left ? 1 : 0) - (right ? 1 : 0)
    default: return nil
    }
  }

  private func call(_ name: String, _ arguments: [JSONValue]) -> JSONValue {
    let texts = arguments.compactMap(\.string)
    switch (ODataFunction(rawValue: name), texts.count) {
    case (.contains, 2): return .bool(texts[1].isEmpty || texts[0].contains(texts[1]))
    case (.substringof, 2): return .bool(texts[0].isEmpty || texts[1].contains(texts[0]))
    case (.startswith, 2): return .bool(texts[0].hasPrefix(texts[1]))
    case (.endswith, 2): return .bool(texts[0].hasSuffix(texts[1]))
    case (.concat, 2): return .string(texts[0] + texts[1])
    case (.indexof, 2): return .integer(texts[0].range(of: texts[1]).map { texts[0].distance(from: texts[0].startIndex, to: $0.lowerBound) } ?? -1)
    case (.tolower, 1): return .string(texts[0].lowercased())
    case (.toupper, 1): return .string(texts[0].uppercased())
    case (.trim, 1): return .string(String(texts[0].drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()))
    case (.length, 1): return .integer(texts[0].count)
    case (.now, _): return .string(now.text)
    default: return .null
    }
  }
}
