import EventLoop

@testable import Executors

/// One loop for all tests, as in the program.
private enum Shared {
  static let loop = Result { try DescriptorLoop(name: "test-hosts") }
}

func testLoop() throws -> DescriptorLoop { try Shared.loop.get() }
