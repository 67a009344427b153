import TestFiles
import Testing

@testable import Feed

struct FeedSizeTests {
  /// An index may state any size of 18 digits, as often as it likes: the sum ends at the largest number.
  @Test func sumOfStatedSizesIsBounded() throws {
    try withScratchDirectory { scratch in
      let feed = try TestFeed(scratch)
      let digest = String(repeating: "0", count: 64)
      for number in 1...12 {
        feed.append(
          """
          Package: big\(number)
          Version: 1
          Architecture: all
          Size: 999999999999999999
          SHA256sum: \(digest)
          Filename: big\(number)_1_all.ipk


          """, to: "all")
      }
      try write([], to: scratch + "/all/none")
      try feed.writeIndexes()
      let report = try FeedCheck(root: scratch, architectures: ["all"], depth: .contents).run()
      #expect(report.packages == 12)
      #expect(report.bytes == .max)
    }
  }
}
