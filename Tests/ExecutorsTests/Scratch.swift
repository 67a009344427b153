import EventLoop
import Foundation
import Processes

@testable import Executors

/// A directory that goes away with the last reference.
final class Scratch: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/blockfarm-executors-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Missing(what: "a scratch directory") }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String, mode: Int = 0o644) throws -> String {
    let file = path + "/" + name
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    return file
  }
}

/// Something that a test needs and this machine does not have; a failure, never a skip.
struct Missing: Error { let what: String }

/// A program that was started with its output (1) or errors (2) on a pipe.
struct Started {
  let pid: pid_t
  let reading: Int32

  init(_ arguments: [String], environment: [String: String] = [:], piping number: Int) throws {
    var pipe = try ChildPipe.output(of: arguments[0])
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    guard null >= 0 else { throw Missing(what: "/dev/null") }
    defer { close(null) }
    var descriptors = ChildDescriptors(output: null, errors: null)
    if number == 1 { descriptors.output = pipe.childEnd } else { descriptors.errors = pipe.childEnd }
    let command = Command(
      arguments[0], Array(arguments.dropFirst()), environment: ProcessInfo.processInfo.environment.merging(environment) { $1 })
    pid = try ChildProcess.spawn(command, descriptors: descriptors, group: .own).id
    reading = pipe.takeOwn()
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
  guard waitpid(program.pid, &status, 0) == program.pid, status == 0 else { throw Missing(what: arguments.joined(separator: " ")) }
  return String(decoding: output, as: UTF8.self)
}

/// One loop for all tests, as in the program.
enum Shared {
  static let loop = Result { try DescriptorLoop(name: "executors-test") }
}

func testLoop() throws -> DescriptorLoop { try Shared.loop.get() }
