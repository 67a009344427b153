import BuildModel
import Testing

struct TimestampTests {
  /// A time that is written and read must be the same: outcomes are compared after they travelled.
  @Test func everyMillisecondSurvivesItsText() {
    for milliseconds in Int64(1_795_000_000_000)..<1_795_000_001_000 {
      let time = Timestamp(milliseconds: milliseconds)
      #expect(Timestamp(time.description) == time, "\(milliseconds)")
    }
    #expect(Timestamp(milliseconds: 1_795_000_000_123).description == "2026-11-18T11:06:40.123Z")
  }
}
