import Scheduling
import Testing

struct HostObstacleTests {
  /// A host's clock is the host's word.
  @Test func everyClockCanBeWritten() {
    #expect(HostObstacle.clock(skewSeconds: 90.7).description == "its clock is 90 s ahead")
    #expect(HostObstacle.clock(skewSeconds: -90.7).description == "its clock is 90 s behind")
    #expect(HostObstacle.clock(skewSeconds: .infinity).description == "its clock is \(Int.max) s ahead")
    #expect(HostObstacle.clock(skewSeconds: -1e300).description == "its clock is \(Int.max) s behind")
  }
}
