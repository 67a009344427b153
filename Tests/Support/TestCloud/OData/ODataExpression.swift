/// A filter as it was written: names are not resolved yet.
package indirect enum ODataExpression: Hashable, Sendable {
  package enum Operator: String, Hashable, Sendable, CaseIterable {
    case or, and
    case eq, ne, gt, ge, lt, le
    case sub, add, mod, div, mul

    /// How strongly it binds. `and` and `or` bind alike, and every arithmetic operator has a rank of its own: so does the server's parser.
    var precedence: Int {
      switch self {
      case .or, .and: 1
      case .eq, .ne, .gt, .ge, .lt, .le: 2
      case .sub: 3
      case .add: 4
      case .mod: 5
      case .div: 6
      case .mul: 7
      }
    }
  }

  package enum Quantifier: String, Hashable, Sendable { case any, all }

  case literal(JSONValue)
  /// `a/b/c`; the first name may be the variable of an enclosing lambda.
  case path([String])
  /// `nav/$count`, its rows perhaps filtered.
  case count([String], filter: ODataExpression?)
  /// `nav/any(v:condition)`.
  case lambda([String], Quantifier, variable: String, ODataExpression)
  case call(String, [ODataExpression])
  case not(ODataExpression)
  case binary(Operator, ODataExpression, ODataExpression)
  case isIn(ODataExpression, [ODataExpression])
  /// `@name`, given elsewhere in the query.
  case parameter(String)
}
