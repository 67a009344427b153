import Foundation
import TestPeers

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
}

/// Runs `body` with a host, and ends the host afterwards. `options` are lines for its sshd.
func withPrivateHost<Value>(_ name: String, of farm: SampleFarm, options: [String] = [], _ body: (PrivateHost) throws -> Value) throws -> Value {
  let host = try PrivateHost(name, of: farm, options: options)
  defer { host.sshd.end() }
  return try body(host)
}
