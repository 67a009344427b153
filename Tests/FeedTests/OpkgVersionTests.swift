import Foundation
import TestPeers
import Testing

@testable import Feed

@Suite struct OpkgVersionTests {
  static let ascending = [
    "0~~", "0~", "0", "0.1~rc1-r0", "0.1-r0", "0.1-r0.1", "0.1-r1", "0.1-r10", "0.1+git0+abc-r0", "0.9a", "0.9b", "0.10", "1.0~beta", "1.0", "1.0+b",
    "1.0.1",
    "1:0.1", "2:0",
  ]

  @Test func ordersAsWritten() {
    for (i, low) in Self.ascending.enumerated() {
      for (j, high) in Self.ascending.enumerated() {
        #expect((OpkgVersion(low) < OpkgVersion(high)) == (i < j), "\(low) < \(high)")
      }
    }
  }

  /// opkg took its order from dpkg, so dpkg judges random versions.
  @Test func agreesWithDpkg() throws {
    var source = SystemRandomNumberGenerator()
    let parts = ["0", "1", "9", "10", "007", "a", "B", "~", ".", "+", "r", "git", "-r1", "rc"]
    func version() -> String {
      (Bool.random(using: &source) ? "" : "1:") + "1" + (0..<Int.random(in: 0...4)).map { _ in parts.randomElement(using: &source) ?? "" }.joined()
    }
    // Three of four pairs differ in one part only: where orders differ, they do so over little.
    for round in 0..<600 {
      let a = version()
      let b = round % 4 == 0 ? version() : a + (parts.randomElement(using: &source) ?? "")
      #expect(OpkgVersion.isValid(a) && OpkgVersion.isValid(b))
      let judge = try Tool.end(of: ["dpkg", "--compare-versions", a, "lt", b])
      #expect((judge.status == 0) == (OpkgVersion(a) < OpkgVersion(b)), "\(a) < \(b)")
    }
  }

  @Test func equivalentSpellings() {
    #expect(OpkgVersion("0:1.0").isEquivalent(to: OpkgVersion("1.0")))
    #expect(OpkgVersion("1.0").isEquivalent(to: OpkgVersion("1.0-0")))
    #expect(OpkgVersion("1.0").isEquivalent(to: OpkgVersion("1.00")))
    #expect(!OpkgVersion("1.0").isEquivalent(to: OpkgVersion("1.0.0")))
  }

  /// What dpkg refuses or opkg reads otherwise than dpkg is no version here.
  @Test(arguments: ["", ":", "1:", ":1", "a:1", "1a:1", "-1:1", "+1:1", "12345678901:1", "1 0", "1/0", "1\u{1}", String(repeating: "1", count: 256)])
  func invalid(_ text: String) { #expect(!OpkgVersion.isValid(text)) }
}
