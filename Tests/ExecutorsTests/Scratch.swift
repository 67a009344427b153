import Foundation
import TestPeers

@testable import Executors

/// Something that a test needs and this machine does not have; a failure, never a skip.
struct Missing: Error { let what: String }

/// A program that was started with its output (1) or errors (2) on a pipe.
struct Started {
  let pid: pid_t
  let reading: Int32

  init(_ arguments: [String], environment: [String: String] = [:], piping number: Int) throws {
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    var ends: [Int32] = [-1, -1]
    guard null >= 0, pipe(&ends) == 0 else { throw PeerError("a pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var descriptors = [null, null, null]
    descriptors[number] = ends[1]
    defer {
      close(null)
      close(ends[1])
    }
    reading = ends[0]
    pid = try ChildSpawn.start(
      arguments, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 }, descriptors: descriptors)
  }

  /// The next bytes; empty at the end.
  func read() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = Glibc.read(reading, &bytes, bytes.count)
    return Array(bytes.prefix(max(0, count)))
  }
}

/// Runs a program to its end and returns its standard output; throws when it fails.
@discardableResult
func run(_ arguments: [String], environment: [String: String] = [:]) throws -> String {
  let program = try Started(arguments, environment: environment, piping: 1)
  defer { close(program.reading) }
  var output: [UInt8] = []
  while case let bytes = program.read(), !bytes.isEmpty { output += bytes }
  var status: Int32 = 0
  guard waitpid(program.pid, &status, 0) == program.pid, status == 0 else { throw PeerError(arguments.joined(separator: " ")) }
  return String(decoding: output, as: UTF8.self)
}

/// One loop for all tests, as in the program.
enum Shared {
  static let loop = Result { try PollLoop() }
}

func testLoop() throws -> PollLoop { try Shared.loop.get() }
