import BuildModel
import Testing

@Suite struct CountedTests {
  @Test(arguments: [(0, "0 slots"), (1, "1 slot"), (2, "2 slots"), (-1, "-1 slots")]) func agreesWithItsNumber(_ count: Int, _ text: String) {
    #expect(Counted(count, "slot").description == text)
  }

  @Test func knowsOtherPlurals() {
    #expect("\(Counted(1, "entry", plural: "entries")), \(Counted(UInt64.max, "entry", plural: "entries"))" == "1 entry, 9223372036854775807 entries")
  }
}
