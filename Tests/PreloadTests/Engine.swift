import Foundation
import Glibc
import TestPeers
import Testing

/// A dockerd of its own, on a data-root, for as long as the closure runs.
struct Engine {
  let socket: String

  @discardableResult
  func docker(_ arguments: String...) throws -> String {
    try Tool.run(["docker", "-H", "unix://\(socket)"] + arguments)
  }

  static func with<R>(dataRoot: String, _ body: (Engine) throws -> R) throws -> R {
    // Short, for the sockets below it: their paths end at 108 bytes.
    let state = "/tmp/preload-engine-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: state) }
    let log = state + "/log"
    #expect(FileManager.default.createFile(atPath: log, contents: nil))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "dockerd", "--data-root", dataRoot, "--exec-root", state + "/exec", "--host", "unix://\(state)/socket", "--pidfile", state + "/pid",
      "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver", "overlay2",
    ]
    process.environment = ProcessInfo.processInfo.environment.merging(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]) { $1 }
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    defer {
      process.terminate()
      process.waitUntilExit()
      // A daemon that did not start leaves its data-root mounted on itself.
      _ = try? Tool.end(of: ["umount", dataRoot])
    }
    let engine = Engine(socket: state + "/socket")
    let deadline = Date(timeIntervalSinceNow: 120)
    while try Tool.end(of: ["docker", "-H", "unix://\(engine.socket)", "version"]).status != 0 {
      let printed = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
      try #require(process.isRunning && Date() < deadline, "dockerd did not start: \(printed.suffix(3000))")
    }
    return try body(engine)
  }
}

/// The data partition of a disk image, mounted through a loop device while the closure runs. Needs root.
func withMountedData<R>(_ image: String, at offset: Int64, size: Int64, scratch: String, _ body: (String) throws -> R) throws -> R {
  let place = scratch + "/mount-\(UUID().uuidString.prefix(8))"
  try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
  try Tool.run(["mount", "-o", "loop,offset=\(offset),sizelimit=\(size)", image, place])
  defer {
    _ = try? Tool.run(["umount", place])
    rmdir(place)
  }
  return try body(place)
}

let isRoot = geteuid() == 0
