/// Reads the server's dialect of OData from raw URL text, percent-encoding included.
package struct ODataParser {
  var scanner: ODataScanner
  var depth = 0

  private init(_ text: some StringProtocol) { scanner = ODataScanner(text) }

  /// The path after `/<version>/`, for example `release(77)` or `service(application=1,service_name='main')/canAccess`.
  package static func target(_ path: some StringProtocol) throws(ODataSyntaxError) -> ODataTarget {
    var parser = ODataParser(path)
    let target = try parser.target()
    guard parser.scanner.isAtEnd else { throw parser.scanner.error("the end of the path") }
    return target
  }

  /// What follows the question mark; `""` gives no options.
  package static func options(_ query: some StringProtocol) throws(ODataSyntaxError) -> ODataOptions {
    guard !query.isEmpty else { return ODataOptions() }
    var parser = ODataParser(query)
    let options = try parser.options(isNested: false)
    guard parser.scanner.isAtEnd else { throw parser.scanner.error("'&' or the end of the query") }
    return options
  }

  /// A filter alone.
  package static func filter(_ text: some StringProtocol) throws(ODataSyntaxError) -> ODataExpression {
    var parser = ODataParser(text)
    let expression = try parser.expression()
    guard parser.scanner.isAtEnd else { throw parser.scanner.error("an operator or the end of the filter") }
    return expression
  }

  private mutating func target() throws(ODataSyntaxError) -> ODataTarget {
    var target = ODataTarget(resource: try scanner.expectName())
    if scanner.take("(") {
      target.key = try key()
      try scanner.expect(")")
    }
    if scanner.take("/") {
      if target.key == nil, scanner.takeDollar() {
        try scanner.expect("count")
        target.isCount = true
      } else {
        target.action = try scanner.expectName()
      }
    }
    return target
  }

  private mutating func key() throws(ODataSyntaxError) -> ODataTarget.Key {
    if let value = try keyValue() { return .id(value) }
    var parts: [String: ODataExpression] = [:]
    repeat {
      let name = try scanner.expectName()
      try scanner.expect("=")
      guard let value = try keyValue() else { throw scanner.error("a key's value") }
      parts[name] = value
    } while scanner.take(",")
    return .natural(parts)
  }

  private mutating func keyValue() throws(ODataSyntaxError) -> ODataExpression? {
    if scanner.take("@") { return .parameter(try scanner.expectName()) }
    if scanner.starts(with: "'") || scanner.starts(with: "%27") { return .literal(.string(try scanner.expectQuoted())) }
    return try scanner.takeNumber().map { .literal($0) }
  }

  /// Nested options may also be separated by `;`.
  private mutating func options(isNested: Bool) throws(ODataSyntaxError) -> ODataOptions {
    var options = ODataOptions()
    repeat { try option(into: &options) } while scanner.take("&") || (isNested && scanner.take(";"))
    return options
  }

  private mutating func option(into options: inout ODataOptions) throws(ODataSyntaxError) {
    if scanner.take("@") {
      let name = try scanner.expectName()
      try scanner.expect("=")
      guard case .literal(let value) = try operandOfParameter() else { throw scanner.error("a literal") }
      options.parameters[name] = value
    } else if !scanner.takeDollar() {
      let name = try scanner.takeText()
      try scanner.expect("=")
      options.custom[name] = try scanner.takeText()
    } else if scanner.take("filter=") {
      options.filter = try expression()
    } else if scanner.take("select=") {
      options.select = scanner.take("*") ? nil : try names()
    } else if scanner.take("expand=") {
      repeat { options.expand.append(try expansion()) } while scanner.take(",")
    } else if scanner.take("orderby=") {
      repeat { options.orderBy.append(try order()) } while scanner.take(",")
    } else if scanner.take("top=") {
      options.top = try count()
    } else if scanner.take("skip=") {
      options.skip = try count()
    } else if scanner.take("count=") || scanner.take("format=") || scanner.take("inlinecount=") {
      // Nothing of the reply depends on them.
      _ = try scanner.takeText()
    } else {
      throw scanner.error("a query option of OData")
    }
  }

  private mutating func operandOfParameter() throws(ODataSyntaxError) -> ODataExpression {
    if let value = try keyValue() { return value }
    if scanner.take("true") { return .literal(true) }
    if scanner.take("false") { return .literal(false) }
    throw scanner.error("a literal")
  }

  private mutating func names() throws(ODataSyntaxError) -> [String] {
    var names: [String] = []
    repeat { names.append(try scanner.expectName()) } while scanner.take(",")
    return names
  }

  private mutating func expansion() throws(ODataSyntaxError) -> ODataOptions.Expansion {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 20 else { throw scanner.error("less nesting") }
    var expansion = ODataOptions.Expansion(name: try scanner.expectName())
    if scanner.take("/") {
      guard scanner.takeDollar(), scanner.take("count") else { throw scanner.error("$count") }
      expansion.isCount = true
    }
    if scanner.take("(") {
      if scanner.take(")") { return expansion }
      expansion.options = try options(isNested: true)
      try scanner.expect(")")
    }
    return expansion
  }

  private mutating func order() throws(ODataSyntaxError) -> ODataOptions.Order {
    var order = ODataOptions.Order(path: [try scanner.expectName()], isAscending: false)
    while scanner.take("/") {
      if scanner.takeDollar() {
        try scanner.expect("count")
        order.isCount = true
        break
      }
      order.path.append(try scanner.expectName())
    }
    let start = scanner.position
    scanner.skipSpaces()
    if scanner.position != start {
      // The direction may be left out, and is then the descending one.
      if scanner.take("asc") {
        order.isAscending = true
      } else if !scanner.take("desc") {
        throw scanner.error("asc or desc")
      }
    }
    return order
  }

  private mutating func count() throws(ODataSyntaxError) -> Int {
    guard let value = Int(scanner.takeDigits()) else { throw scanner.error("a count") }
    return value
  }
}
