import Foundation
import Testing

@testable import Preload

/// How e2fsck and resize2fs are run, with other programs in their place.
@Suite struct FileSystemToolTests {
  private func error(_ name: String, _ arguments: [String], limitSeconds: Double = 60) -> String {
    do {
      try FileSystemTool.run(name, arguments, accepting: [0], path: "/images/data", time: 7, limitSeconds: limitSeconds)
      return "none"
    } catch {
      return error.description
    }
  }

  @Test func anEndIsReportedWithTheEndOfTheOutput() {
    #expect(error("sh", ["-c", "exit 0"]) == "none")
    #expect(
      error("sh", ["-c", "echo one; echo two >&2; printf 'th\\033[1mree'; exit 8"])
        == "preload: sh on /images/data exited with 8: one; two; th?[1mree")
    #expect(error("sh", ["-c", "kill -SEGV $$"]) == "preload: sh on /images/data was ended by signal SEGV")
    let long = error("sh", ["-c", "seq 1000000; exit 1"])
    #expect(long.hasSuffix("999999; 1000000") && long.utf8.count < 10_000)
  }

  @Test func timeIsBounded() {
    #expect(error("sh", ["-c", "echo begun; exec sleep 1000"], limitSeconds: 1) == "preload: sh on /images/data took more than 1 s: begun")
  }

  @Test func aToolThatIsNotThereIsNamed() {
    #expect(
      error("e2fsck.none", [])
        == "preload: e2fsck.none on /images/data cannot run: not found in PATH, /usr/sbin or /sbin; install the package e2fsprogs")
  }

  /// The times that the tools stamp come from the environment, and nothing else does.
  @Test func theEnvironmentIsFixed() {
    let found = error("sh", ["-c", "env | grep -v ^PWD= | sort; exit 1"])
    #expect(
      found == "preload: sh on /images/data exited with 1: E2FSPROGS_FAKE_TIME=7; LC_ALL=C; PATH=/usr/sbin:/usr/bin:/sbin:/bin; "
        + "SOURCE_DATE_EPOCH=7; TZ=UTC")
  }
}
