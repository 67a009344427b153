import Foundation
import TestFiles
import Testing

/// Directories that are gone after a test.
@Suite struct ScratchDirectoryTests {
  struct Failure: Error {}

  @Test func isGoneAfterTheClosureHoweverItEnds() async throws {
    var paths: [String] = []
    try withScratchDirectory { scratch in
      paths.append(scratch)
      try write([1], to: scratch + "/a/b/c")
      #expect(FileManager.default.fileExists(atPath: scratch + "/a/b/c"))
    }
    #expect(throws: Failure.self) {
      try withScratchDirectory { scratch in
        paths.append(scratch)
        throw Failure()
      }
    }
    try await withScratchDirectory { scratch in
      await Task.yield()
      paths.append(scratch)
      #expect(FileManager.default.fileExists(atPath: scratch))
    }
    #expect(Set(paths).count == 3)
    for path in paths { #expect(!FileManager.default.fileExists(atPath: path)) }
  }

  /// Sockets lie in it, and programs of other accounts work in it.
  @Test func isShortAndOpenToOtherAccounts() throws {
    try withScratchDirectory { scratch in
      #expect((scratch + "/socket").utf8.count <= 107)
      #expect(URL(filePath: scratch).resolvingSymlinksInPath().path == scratch)
      let mode = try FileManager.default.attributesOfItem(atPath: scratch)[.posixPermissions] as? Int
      #expect(mode == 0o755)
    }
  }

  @Test func filesHaveTheirModes() throws {
    let scratch = try ScratchDirectory()
    let file = try scratch.write("#!/bin/sh\n", to: "bin/tool", mode: 0o750)
    #expect(file == scratch.path + "/bin/tool")
    #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o750)
  }

  @Test func namesAProgramThatIsNotBuilt() {
    let error = #expect(throws: Project.NotBuilt.self) { try Project.program("no-such-program") }
    #expect(error.map { "\($0)" }?.hasPrefix("no-such-program is not built; it was looked for in /") == true)
  }
}
