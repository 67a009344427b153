import Testing

@testable import Feed

@Suite struct PackageRelationTests {
  /// Field, what is read of it, and what cannot be read.
  @Test(
    arguments: [
      ("", [], []), ("foo", ["foo"], []), ("foo, bar", ["foo", "bar"], []), (" foo ,, bar , ", ["foo", "bar"], []),
      ("foo (= 1.2)", ["foo (= 1.2)"], []), ("foo (=1.2-r0)", ["foo (= 1.2-r0)"], []), ("foo( >= 1:2~rc1 )", ["foo (>= 1:2~rc1)"], []),
      ("foo (<< 2), bar (>> 1)", ["foo (<< 2)", "bar (>> 1)"], []),
      // The old spellings mean what dpkg and opkg make of them.
      ("foo (< 2), bar (> 1)", ["foo (<= 2)", "bar (>= 1)"], []),
      ("/bin/sh, perl__Foo__", ["/bin/sh", "perl__Foo__"], []), ("a,\n b,\n\tc\r", ["a", "b", "c"], []),
      ("foo (1.2)", [], ["foo (1.2)"]), ("foo (= )", [], ["foo (= )"]), ("foo (= 1", [], ["foo (= 1"]), ("foo = 1", [], ["foo = 1"]),
      ("foo bar", [], ["foo bar"]), ("(= 1)", [], ["(= 1)"]), ("foo (= 1) x", [], ["foo (= 1) x"]), ("foo (= 1/2), ok", ["ok"], ["foo (= 1/2)"]),
      ("foo ((= 1))", [], ["foo ((= 1))"]), ("f\u{7}oo, fü", [], ["f\u{7}oo", "fü"]), ("a | b", [], ["a | b"]),
    ] as [(String, [String], [String])])
  func reads(_ text: String, _ relations: [String], _ unreadable: [String]) {
    let list = PackageRelation.list(text, allowsAlternatives: false)
    #expect(list.relations.map(\.description) == relations)
    #expect(list.unreadable == unreadable)
    // What is written is read again.
    #expect(PackageRelation.list(relations.joined(separator: ", "), allowsAlternatives: false).relations == list.relations)
  }

  @Test func alternativesAreAllTaken() {
    #expect(PackageRelation.list("a | b (<< 2), c", allowsAlternatives: true).relations.map(\.description) == ["a", "b (<< 2)", "c"])
  }

  @Test func unreadableItemsAreBounded() {
    let list = PackageRelation.list(String(repeating: "x y" + String(repeating: "z", count: 500) + ",", count: 5000), allowsAlternatives: false)
    #expect(list.unreadable.count == 10 && list.unreadable.allSatisfy { $0.count == 100 })
  }

  /// What is asked for, what is offered, and whether that will do.
  @Test(
    arguments: [
      ("foo", "foo", true), ("foo", "bar", false), ("foo", "foo (= 1)", true),
      // Nothing is promised about the version.
      ("foo (>= 1)", "foo", false), ("foo (= 1)", "foo", false),
      ("foo (>= 1.0)", "foo (= 1.0)", true), ("foo (>> 1.0)", "foo (= 1.0)", false), ("foo (<< 1.0)", "foo (= 1.0~rc1)", true),
      ("foo (<= 1.0)", "foo (= 1.00)", true), ("foo (= 1.0)", "foo (= 1.0-r1)", false), ("foo (= 2)", "foo (= 1:2)", false),
      ("foo (>> 2)", "foo (= 10)", true), ("foo (<< 2)", "foo (= 10)", false),
      // A range of versions is offered.
      ("foo (<< 2)", "foo (>= 1)", true), ("foo (<< 2)", "foo (>= 2)", false), ("foo (<= 2)", "foo (>= 2)", true),
      ("foo (>= 3)", "foo (<< 2)", false),
      ("foo (>> 2)", "foo (>> 2)", true), ("foo (<< 2)", "foo (>> 2)", false), ("foo (<< 5)", "foo (<< 2)", true),
    ] as [(String, String, Bool)])
  func meets(_ asked: String, _ offered: String, _ expected: Bool) throws {
    let one = try #require(PackageRelation.list(asked, allowsAlternatives: false).relations.first)
    let other = try #require(PackageRelation.list(offered, allowsAlternatives: false).relations.first)
    #expect(one.isMet(by: other) == expected)
  }
}
