import CoordinatorConfiguration
import Testing

/// `disk:` of the farm, a repository and a driver.
struct DiskConfigurationTests {
  private let farm = FarmConfigurationTests()

  @Test(
    arguments: [
      ("", nil), ("disk: 1 GB\n", 1_000_000_000),
    ] as [(String, Int64?)])
  func theFarmSaysItForAll(_ line: String, _ bytes: Int64?) throws {
    let read = try farm.load(line + "repositories:\n  - source: a\n")
    #expect(read.disk(ofRepository: "a")?.bytes == bytes && read.disk(ofRepository: "unknown")?.bytes == bytes)
  }

  @Test(
    arguments: [
      ("disk: 80 GB", 80), ("driver: {barys: {disk: 60 GB}}", 60), ("driver: {balena-build: {disk: 70 GB}}", 70),
      (#"driver: {command: [./b, "{targets}"], packageArchitectures: [all], disk: 20 GB}"#, 20), ("driver: barys", 1),
      ("driver: {barys: {disk: 60 GB}}\n    disk: 90 GB", 90),
    ] as [(String, Int64)])
  func theNearestCounts(_ lines: String, _ gigabytes: Int64) throws {
    let read = try farm.load("disk: 1 GB\nrepositories:\n  - source: a\n    \(lines)\n")
    #expect(read.disk(ofRepository: "a")?.bytes == gigabytes * 1_000_000_000)
  }

  @Test(arguments: [
    ("disk: 50", 3, "'50' is not a size such as 50 GB, 1.5 TB or 512 MiB"), ("disk: 0 GB", 3, "'0 GB' is not a size"),
    ("disk: [1]", 3, "'disk' must be a text"), ("driver: {barys: {disk: much}}", 3, "'much' is not a size"),
    ("driver: {balena-build: {disk: -1 GB}}", 3, "'-1 GB' is not a size"),
  ])
  func whatIsNoSizeIsRefused(_ line: String, _ number: Int, _ reason: String) {
    let error = #expect(throws: ConfigurationError.self) { try farm.load("repositories:\n  - source: a\n    \(line)\n") }
    #expect(error?.line == number && error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
  }
}
