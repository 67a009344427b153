@testable import Executors

/// One loop for all tests, as in the program.
private enum Shared {
  static let loop = Result { try PollLoop() }
}

func testLoop() throws -> PollLoop { try Shared.loop.get() }
