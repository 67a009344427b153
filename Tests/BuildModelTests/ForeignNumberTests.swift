import BuildModel
import CanonicalJSON
import Testing

/// Numbers of others that ended the process that read them.
struct ForeignNumberTests {
  @Test(arguments: ["1e300", "-1e300", "1000000001"])
  func stepOfImpossibleLengthIsRefused(_ seconds: String) {
    let line = Array(#"{"name":"feed","outcome":"done","seconds":\#(seconds)}"#.utf8)
    #expect(throws: JSONProblem.self) { try CanonicalJSON.decode(StepResult.self, from: line) }
  }

  @Test func stepKeepsItsWireForm() throws {
    let line = Array(#"{"name":"feed","outcome":"done","seconds":1.5}"#.utf8)
    let step = try CanonicalJSON.decode(StepResult.self, from: line)
    #expect(step == StepResult(name: .feed, outcome: .done, seconds: 1.5))
    #expect(StepResult(name: .feed, outcome: .done, seconds: .infinity).seconds == Seconds.limit)
    #expect(StepResult(name: .feed, outcome: .done, seconds: .nan).seconds == 0)
  }

  @Test(arguments: [1e300, -1e300, .infinity, -.infinity, .nan])
  func timesEndAtTheEndOfTheirRange(_ seconds: Double) {
    let end: Int64 = seconds.isNaN ? 0 : seconds < 0 ? .min : .max
    #expect(Timestamp(seconds: seconds).milliseconds == end)
    #expect(Timestamp(milliseconds: 0).adding(seconds: seconds).milliseconds == end)
    #expect(Timestamp(milliseconds: .max).seconds(since: Timestamp(milliseconds: .min)) > 1e16)
  }

  @Test func sumsEndAtTheEndOfTheirRange() {
    #expect(Int64.max.addingSaturated(1) == .max)
    #expect(Int64.min.addingSaturated(-1) == .min)
    #expect(Int64(2).addingSaturated(-3) == -1)
    #expect(Int(saturating: 2.5) == 3)
  }
}
