import Testing

@testable import Commands

/// Counts and times of a worker in the view of a request: whatever it sends, the view goes on.
struct ProgressNumberTests {
  @Test(arguments: [
    (0, 3, 0), (1, 3, 33), (3, 3, 100), (.max, 3, 100), (.min, 3, 0), (.max, .max, 100), (.max / 2, .max, 49), (1, 0, 0), (1, .min, 0),
  ])
  func shareIsBetweenNothingAndAll(_ done: Int, _ total: Int, _ share: Int) {
    #expect(ProgressView.share(done, of: total, in: 100) == share)
  }

  @Test func timesAreWritten() {
    #expect(ProgressView.text(1.57) == "1.5 s")
    #expect(ProgressView.text(61) == "1:01")
    #expect(ProgressView.text(-3) == "0.0 s")
    #expect(ProgressView.text(.nan) == "0.0 s")
    #expect(ProgressView.text(1e300).contains(":"))
    #expect(ProgressView.text(.infinity).contains(":"))
  }
}
