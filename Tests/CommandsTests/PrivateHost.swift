import Foundation
import TestPeers
import Testing

import struct Crypto.SHA256

/// A worker host: a private sshd that lets the farm's own account in, with its files and the worker's root below the farm's directory.
struct PrivateHost {
  let name: String
  let sshd: PrivateSSHD
  private let farm: SampleFarm

  var directory: String { sshd.directory }
  var root: String { directory + "/blockfarm" }
  var port: UInt16 { sshd.port }
  var address: String { "\(sshd.user)@127.0.0.1:\(port)" }

  fileprivate init(_ name: String, of farm: SampleFarm, options: [String]) throws {
    (self.name, self.farm) = (name, farm)
    let identity = farm.directory + "/id_ed25519"
    if !FileManager.default.fileExists(atPath: identity) {
      try SSHKey.make(identity)
      try OrdinaryUser.own(farm.directory)
    }
    var settings = PrivateSSHD.Settings()
    settings.directory = "\(farm.directory)/hosts/\(name)"
    settings.authorizedKey = identity + ".pub"
    settings.isOrdinaryUser = true
    settings.options = options
    sshd = try PrivateSSHD(settings)
  }

  func fingerprint() throws -> String { try sshd.fingerprintText() }

  /// `worker add` with the right fingerprint and key.
  @discardableResult
  func add(_ options: String...) throws -> Child.Ended {
    try farm.start(
      ["worker", "add", address, "--name", name, "--fingerprint", try fingerprint(), "--identity", farm.directory + "/id_ed25519", "--root", root]
        + options
    ).wait()
  }

  /// Puts a script in the worker's place and records its digest in the host's file, as whoever changes a worker has to. `$worker` in it is the worker.
  func replaceWorker(by script: String) throws {
    let installed = try #require(try FileManager.default.contentsOfDirectory(atPath: root + "/bin").first)
    let text = "#!/bin/sh\nworker='\(root)/bin/\(installed)/blockfarm-worker'\n\(script)\n"
    let digest = SHA256.hash(data: Data(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    let program = "\(root)/bin/\(digest)/blockfarm-worker"
    try FileManager.default.createDirectory(atPath: "\(root)/bin/\(digest)", withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(filePath: program))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    try OrdinaryUser.own(farm.directory)
    let file = URL(filePath: "\(farm.directory)/workers.d/\(name).yaml")
    let old = try String(contentsOf: file, encoding: .utf8)
    try #require(old.contains(installed))
    try Data(old.replacing(installed, with: digest).utf8).write(to: file)
    try OrdinaryUser.own(farm.directory)
  }
}

/// Runs `body` with a host, and ends the host afterwards. `options` are lines for its sshd.
func withPrivateHost<Value>(_ name: String, of farm: SampleFarm, options: [String] = [], _ body: (PrivateHost) throws -> Value) throws -> Value {
  let host = try PrivateHost(name, of: farm, options: options)
  defer { host.sshd.end() }
  return try body(host)
}
