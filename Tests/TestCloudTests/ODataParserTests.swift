import Testing

@testable import TestCloud

@Suite struct ODataParserTests {
  static func eq(_ path: String, _ value: JSONValue) -> ODataExpression {
    .binary(.eq, .path(path.split(separator: "/").map(String.init)), .literal(value))
  }

  static let filters: [(String, ODataExpression)] = [
    ("slug eq 'org/app'", eq("slug", "org/app")),
    ("slug%20eq%20%27org%2Fapp%27", eq("slug", "org/app")),
    ("slug+eq+'a+b'", eq("slug", "a+b")),
    ("name eq 'O''Brien%27%27s'", eq("name", "O'Brien's")),
    ("name eq 'a%2525b'", eq("name", "a%25b")),
    ("name eq ''", eq("name", "")),
    ("revision eq 0", eq("revision", 0)),
    ("revision eq -3", eq("revision", -3)),
    ("x eq 1.5", eq("x", .number(1.5))),
    ("is_final eq false", eq("is_final", false)),
    ("note eq null", eq("note", nil)),
    ("(note)eq(null)", eq("note", nil)),
    ("created_at gt datetime'2026-01-02T03:04:05Z'", .binary(.gt, .path(["created_at"]), .literal("2026-01-02T03:04:05.000Z"))),
    // Equal precedence, from the left.
    ("a eq 1 or b eq 2 and c eq 3", .binary(.and, .binary(.or, eq("a", 1), eq("b", 2)), eq("c", 3))),
    ("a eq 1 and b eq 2 or c eq 3", .binary(.or, .binary(.and, eq("a", 1), eq("b", 2)), eq("c", 3))),
    ("a eq 1 or (b eq 2 and c eq 3)", .binary(.or, eq("a", 1), .binary(.and, eq("b", 2), eq("c", 3)))),
    ("not(a eq 1)", .not(eq("a", 1))),
    // `not` takes the next operand alone.
    ("not a eq 1", .binary(.eq, .not(.path(["a"])), .literal(1))),
    (
      "a add 1 mul 2 eq 3",
      .binary(.eq, .binary(.add, .path(["a"]), .binary(.mul, .literal(1), .literal(2))), .literal(3))
    ),
    ("slug in ('a', 'b')", .isIn(.path(["slug"]), [.literal("a"), .literal("b")])),
    ("a eq 1 and slug in ('a')", .binary(.and, eq("a", 1), .isIn(.path(["slug"]), [.literal("a")]))),
    ("release/belongs_to__application/slug eq 'x'", eq("release/belongs_to__application/slug", "x")),
    ("nav/any(a:a/f eq 1)", .lambda(["nav"], .any, variable: "a", eq("a/f", 1))),
    ("nav/any(a:true)", .lambda(["nav"], .any, variable: "a", .literal(true))),
    ("a/nav/all(x:x/f eq 1)", .lambda(["a", "nav"], .all, variable: "x", eq("x/f", 1))),
    (
      "a/any(x:x/b/any(y:y/z eq x/w))",
      .lambda(
        ["a"], .any, variable: "x", .lambda(["x", "b"], .any, variable: "y", .binary(.eq, .path(["y", "z"]), .path(["x", "w"]))))
    ),
    ("owns__release/$count gt 1", .binary(.gt, .count(["owns__release"], filter: nil), .literal(1))),
    ("startswith(tolower(slug),'a')", .call("startswith", [.call("tolower", [.path(["slug"])]), .literal("a")])),
    ("is_host", .path(["is_host"])),
    ("nullable eq 1", eq("nullable", 1)),
    ("id eq @x", .binary(.eq, .path(["id"]), .parameter("x"))),
  ]

  @Test(arguments: filters.indices) func readsFilters(_ index: Int) throws {
    #expect(try ODataParser.filter(Self.filters[index].0) == Self.filters[index].1, "\(Self.filters[index].0)")
  }

  @Test(arguments: [
    "", "slug eq", "slug eq 'open", "slug eq 'a' or", "(a eq 1", "a eq 1)", "a == 1", "is_public eq truel20and (", "nav/any(a)",
    "nav/some(a:a/b eq 1)",
    "nothing(a)", "contains(a)", "slug in ()", "slug in", "a eq 99999999999999999999", "name eq '%zz'", "a  'b'", "a%3Deq 1",
    "created_at gt datetime'yesterday'",
  ])
  func refusesMalformedFilters(_ text: String) { #expect(throws: ODataSyntaxError.self) { try ODataParser.filter(text) } }

  @Test func refusesDeepNesting() {
    let text = String(repeating: "(", count: 10_000) + "a eq 1" + String(repeating: ")", count: 10_000)
    #expect(throws: ODataSyntaxError.self) { try ODataParser.filter(text) }
  }

  @Test func readsOptionsInAnyOrder() throws {
    let parts = [
      "$filter=(a eq 1) and (b eq 'x%26y')", "$select=id,slug", "$expand=nav($select=a;$filter=b eq 2;$orderby=c;$expand=d),other/$count,third",
      "$orderby=created_at,id asc,x/y desc", "$top=5", "%24skip=2", "returnResource=false",
    ]
    let wanted = try ODataParser.options(parts.joined(separator: "&"))
    #expect(try ODataParser.options(parts.reversed().joined(separator: "&")) == wanted)
    #expect(wanted.select == ["id", "slug"] && wanted.top == 5 && wanted.skip == 2 && wanted.custom == ["returnResource": "false"])
    #expect(wanted.orderBy.map(\.isAscending) == [false, true, false])
    #expect(wanted.orderBy.map(\.path) == [["created_at"], ["id"], ["x", "y"]])
    #expect(wanted.expand.map(\.name) == ["nav", "other", "third"] && wanted.expand.map(\.isCount) == [false, true, false])
    let nested = wanted.expand[0].options
    #expect(nested.select == ["a"] && nested.filter == Self.eq("b", 2) && nested.orderBy.first?.isAscending == false)
    #expect(nested.expand.map(\.name) == ["d"])
    // Inside brackets `&` separates as well.
    #expect(try ODataParser.options("$expand=nav($select=a&$top=1)").expand[0].options.top == 1)
  }

  @Test(arguments: ["$filter=", "$top=x", "$nothing=1", "$select=", "$expand=nav(", "$expand=nav)", "$orderby=a up", "$select=a&&$top=1", "x"])
  func refusesMalformedOptions(_ text: String) { #expect(throws: ODataSyntaxError.self) { try ODataParser.options(text) } }

  @Test func readsTargets() throws {
    #expect(try ODataParser.target("release") == ODataTarget(resource: "release"))
    #expect(try ODataParser.target("release(77)") == ODataTarget(resource: "release", key: .id(.literal(77))))
    #expect(try ODataParser.target("release(@id)") == ODataTarget(resource: "release", key: .id(.parameter("id"))))
    #expect(
      try ODataParser.target("release_asset(release=1,asset_key='compressed%2Fpart-0.deflate')")
        == ODataTarget(
          resource: "release_asset", key: .natural(["release": .literal(1), "asset_key": .literal("compressed/part-0.deflate")])))
    #expect(try ODataParser.target("release/$count") == ODataTarget(resource: "release", isCount: true))
    #expect(try ODataParser.target("release(1)/canAccess") == ODataTarget(resource: "release", key: .id(.literal(1)), action: "canAccess"))
    for bad in ["", "release(", "release()", "release(1)x", "release(a=)", "release(1", "a b"] {
      #expect(throws: ODataSyntaxError.self, "\(bad)") { try ODataParser.target(bad) }
    }
  }
}
