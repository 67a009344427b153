extension ODataParser {
  /// Brackets and lambdas deeper than this are refused instead of ending the process' stack.
  private static let deepest = 60

  mutating func expression() throws(ODataSyntaxError) -> ODataExpression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { throw scanner.error("less nesting") }
    return try operators(above: 0)
  }

  /// Operators that bind more strongly than `minimum`, equal ones from the left.
  private mutating func operators(above minimum: Int) throws(ODataSyntaxError) -> ODataExpression {
    var left = try operand()
    while true {
      let start = scanner.position
      scanner.skipSpaces()
      if start != scanner.position, scanner.takeWord("in") {
        left = .isIn(left, try list())
      } else if let found = takeOperator(), found.precedence > minimum {
        left = .binary(found, left, try operators(above: found.precedence))
      } else {
        scanner.position = start
        return left
      }
    }
  }

  private mutating func takeOperator() -> ODataExpression.Operator? {
    for candidate in ODataExpression.Operator.allCases where scanner.takeWord(candidate.rawValue) { return candidate }
    return nil
  }

  private mutating func list() throws(ODataSyntaxError) -> [ODataExpression] {
    try scanner.expect("(")
    var values: [ODataExpression] = []
    repeat {
      scanner.skipSpaces()
      values.append(try primitive())
      scanner.skipSpaces()
    } while scanner.take(",")
    try scanner.expect(")")
    return values
  }

  private mutating func operand() throws(ODataSyntaxError) -> ODataExpression {
    scanner.skipSpaces()
    if scanner.take("(") {
      let inner = try expression()
      scanner.skipSpaces()
      try scanner.expect(")")
      return inner
    }
    if scanner.takeWord("not") { return .not(try operand()) }
    return try primitive()
  }

  private mutating func primitive() throws(ODataSyntaxError) -> ODataExpression {
    if scanner.starts(with: "'") || scanner.starts(with: "%27") { return .literal(.string(try scanner.expectQuoted())) }
    if scanner.take("@") { return .parameter(try scanner.expectName()) }
    if let number = try scanner.takeNumber() { return .literal(number) }
    var path = [try scanner.expectName()]
    if path[0] == "datetime" || path[0] == "date", scanner.starts(with: "'") || scanner.starts(with: "%27") {
      guard let date = CloudDate(text: try scanner.expectQuoted()) else { throw scanner.error("a date") }
      return .literal(.string(date.text))
    }
    if scanner.current == UInt8(ascii: "(") { return try call(path[0]) }
    while scanner.take("/") {
      if scanner.takeDollar() {
        try scanner.expect("count")
        return .count(path, filter: try countFilter())
      }
      let name = try scanner.expectName()
      if scanner.take("(") {
        guard let quantifier = ODataExpression.Quantifier(rawValue: name) else { throw scanner.error("any or all") }
        return try lambda(path, quantifier)
      }
      path.append(name)
    }
    switch path {
    case ["null"]: return .literal(.null)
    case ["true"]: return .literal(.bool(true))
    case ["false"]: return .literal(.bool(false))
    default: return .path(path)
    }
  }

  private mutating func lambda(
    _ path: [String], _ quantifier: ODataExpression.Quantifier
  ) throws(ODataSyntaxError) -> ODataExpression {
    scanner.skipSpaces()
    let variable = try scanner.expectName()
    try scanner.expect(":")
    let condition = try expression()
    scanner.skipSpaces()
    try scanner.expect(")")
    return .lambda(path, quantifier, variable: variable, condition)
  }

  private mutating func countFilter() throws(ODataSyntaxError) -> ODataExpression? {
    guard scanner.take("(") else { return nil }
    guard scanner.takeDollar(), scanner.take("filter=") else { throw scanner.error("$filter") }
    let filter = try expression()
    try scanner.expect(")")
    return filter
  }

  private mutating func call(_ name: String) throws(ODataSyntaxError) -> ODataExpression {
    guard let counts = ODataFunction(rawValue: name)?.argumentCounts else { throw scanner.error("a function of the server instead of '\(name)'") }
    try scanner.expect("(")
    var arguments: [ODataExpression] = []
    scanner.skipSpaces()
    if !scanner.take(")") {
      repeat { arguments.append(try expression()) } while takeComma()
      scanner.skipSpaces()
      try scanner.expect(")")
    }
    guard counts.contains(arguments.count) else { throw scanner.error("\(counts.upperBound) arguments of \(name)") }
    return .call(name, arguments)
  }

  private mutating func takeComma() -> Bool {
    scanner.skipSpaces()
    return scanner.take(",")
  }
}

/// The functions of a filter that the server's clients use.
enum ODataFunction: String {
  case contains, startswith, endswith, substringof, tolower, toupper, trim, length, indexof, concat, now

  var argumentCounts: ClosedRange<Int> {
    switch self {
    case .contains, .startswith, .endswith, .substringof, .indexof, .concat: 2...2
    case .tolower, .toupper, .trim, .length: 1...1
    case .now: 0...0
    }
  }
}
