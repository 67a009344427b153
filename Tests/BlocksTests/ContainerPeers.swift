import Foundation
import TestPeers
import Testing

/// A dockerd of its own: own data, socket and pid; ended by its pid.
func withDockerd<Value>(in scratch: String, _ body: (_ docker: [String]) throws -> Value) throws -> Value {
  let home = scratch + "/dockerd"
  try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
  let socket = "unix://\(home)/socket"
  return try withDaemon(
    [
      "/usr/sbin/dockerd", "--data-root", home + "/data", "--exec-root", home + "/exec", "--host", socket, "--pidfile", home + "/pid",
      "--iptables=false",
      "--bridge=none", "--storage-driver", "overlay2",
    ], log: home + "/log", isReady: { (try? Tool.run("docker", "-H", socket, "version")) != nil }
  ) { try body(["docker", "-H", socket]) }
}

/// A registry of its own on a free port of the loopback interface.
func withRegistry<Value>(in scratch: String, _ body: (_ address: String) throws -> Value) throws -> Value {
  let free = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
  let address = "127.0.0.1:" + (try Tool.run("python3", "-c", free)).trimmingCharacters(in: .whitespacesAndNewlines)
  let configuration = """
    version: 0.1
    log: {level: error}
    storage: {filesystem: {rootdirectory: \(scratch)/registry}}
    http: {addr: "\(address)"}
    """
  try configuration.write(toFile: scratch + "/registry.yml", atomically: true, encoding: .utf8)
  return try withDaemon(
    ["/usr/bin/docker-registry", "serve", scratch + "/registry.yml"], log: scratch + "/registry.log",
    isReady: { (try? Tool.run("curl", "-sf", "http://\(address)/v2/")) != nil }
  ) { try body(address) }
}

private func withDaemon<Value>(_ command: [String], log: String, isReady: () -> Bool, body: () throws -> Value) throws -> Value {
  try Data().write(to: URL(fileURLWithPath: log))
  let process = Process()
  process.executableURL = URL(fileURLWithPath: command[0])
  process.arguments = Array(command.dropFirst())
  process.standardInput = FileHandle.nullDevice
  process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
  process.standardError = process.standardOutput
  try process.run()
  defer {
    process.terminate()
    process.waitUntilExit()
  }
  let deadline = Date.now.addingTimeInterval(60)
  while !isReady() {
    guard process.isRunning, Date.now < deadline else {
      throw PeerError("\(command[0]) is not ready: " + (try String(contentsOfFile: log, encoding: .utf8)))
    }
  }
  return try body()
}
