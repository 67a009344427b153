/// Resolves every name of a query before it runs: an unknown field, or a literal of another type than the field's, is refused even when there
/// is no row to compare.
struct ODataCheck {
  let model: CloudModel
  var variables: [String: CloudResource] = [:]

  func check(_ options: ODataOptions, of resource: CloudResource) throws(CloudRefusal) {
    if let filter = options.filter { try check(filter, of: resource) }
    for name in options.select ?? [] where name != "id" && resource.field(name) == nil {
      guard model.navigation(name, from: resource) != nil else { throw .broken }
    }
    for order in options.orderBy { try checkPath(order.path, of: resource, isRows: order.isCount) }
    for expansion in options.expand {
      guard let target = model.navigation(expansion.name, from: resource)?.target else { throw .broken }
      try check(expansion.options, of: target)
    }
  }

  func check(_ expression: ODataExpression, of resource: CloudResource) throws(CloudRefusal) {
    switch expression {
    case .literal, .parameter: break
    case .path(let path): try checkPath(path, of: resource, isRows: false)
    case .count(let path, let filter):
      let target = try checkPath(path, of: resource, isRows: true)
      if let filter { try check(filter, of: target) }
    case .lambda(let path, _, let variable, let condition):
      var inner = self
      inner.variables[variable] = try checkPath(path, of: resource, isRows: true)
      try inner.check(condition, of: resource)
    case .call(_, let arguments): for argument in arguments { try check(argument, of: resource) }
    case .not(let inner): try check(inner, of: resource)
    case .binary(let operation, let left, let right):
      try check(left, of: resource)
      try check(right, of: resource)
      if operation.precedence == 2 {
        try compare(left, right, of: resource)
        try compare(right, left, of: resource)
      }
    case .isIn(let left, let values):
      try check(left, of: resource)
      for value in values {
        try check(value, of: resource)
        try compare(left, value, of: resource)
      }
    }
  }

  /// The resource to which the path leads, or that has its last field.
  @discardableResult
  private func checkPath(_ path: [String], of resource: CloudResource, isRows: Bool) throws(CloudRefusal) -> CloudResource {
    var here = resource
    var rest = path[...]
    if let first = rest.first, let variable = variables[first] {
      here = variable
      rest = rest.dropFirst()
    }
    let steps = isRows ? rest : rest.dropLast()
    for name in steps {
      guard let target = model.navigation(name, from: here)?.target else { throw .broken }
      here = target
    }
    if !isRows, let last = rest.last, last != "id", here.field(last) == nil { throw .broken }
    return here
  }

  private func compare(_ path: ODataExpression, _ value: ODataExpression, of resource: CloudResource) throws(CloudRefusal) {
    guard case .path(let names) = path, case .literal(let literal) = value, !literal.isNull, let last = names.last else { return }
    let owner = try checkPath(names, of: resource, isRows: false)
    let isNumber: Bool
    switch owner.field(last)?.kind {
    case nil where last == "id", .integer, .reference: isNumber = true
    case .boolean: if literal.bool == nil { throw .broken } else { return }
    case .text, .date: isNumber = false
    default: return
    }
    switch literal {
    case .integer, .number: if !isNumber { throw .broken }
    // The database casts a text of digits.
    case .string(let text): if isNumber, Int(text) == nil { throw .broken }
    default: throw .broken
    }
  }
}
