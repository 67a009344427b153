import BuildModel
import Testing

/// Sizes as people write them.
struct ByteCountTests {
  @Test(
    arguments: [
      ("50 GB", 50_000_000_000), ("50GB", 50_000_000_000), ("50 gb", 50_000_000_000), ("1.5 TB", 1_500_000_000_000), ("512 MiB", 536_870_912),
      ("0.125 kB", 125), ("0 MB", 0), ("1.001 GiB", 1_074_815_565), ("8388607 TiB", 9_223_370_937_343_148_032),
    ] as [(String, Int64)])
  func reads(_ text: String, _ bytes: Int64) { #expect(ByteCount(text)?.bytes == bytes) }

  @Test(arguments: [
    "", "50", "GB", "50 G", "-1 GB", "+1 GB", "1,5 GB", "1. GB", ".5 GB", "1.2345 GB", "1.2.3 GB", "1 GB of disk", "１ GB", "1e3 GB", "8388608 TiB",
    "99999999999999999999 kB", "9223372036854775807 TB",
  ])
  func refuses(_ text: String) { #expect(ByteCount(text) == nil) }

  @Test(
    arguments: [
      (0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (1_999_999, "1.9 MB"), (50_000_000_000, "50 GB"), (1_099_511_627_776, "1 TB"),
      (Int64.max, "9223372 TB"), (-5, "0 bytes"),
    ] as [(Int64, String)])
  func writes(_ bytes: Int64, _ text: String) { #expect(ByteCount(bytes: bytes).description == text) }
}
