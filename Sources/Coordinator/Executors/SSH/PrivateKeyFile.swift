import FoundationEssentials
import Glibc
import Processes

/// A private key file that libssh2 can use: readable by its owner alone, not encrypted, ed25519 or ECDSA.
///
/// libssh2 answers all other cases with one and the same code, so they are distinguished here.
struct PrivateKeyFile {
  struct Unusable: Error { let reason: String }

  let bytes: [UInt8]

  init(path: String) throws(Unusable) {
    bytes = try Self.read(path)
    try Self.check(String(decoding: bytes, as: UTF8.self))
  }

  private static func read(_ path: String) throws(Unusable) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Unusable(reason: String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw Unusable(reason: "it is not a file") }
    guard status.st_mode & 0o077 == 0 else { throw Unusable(reason: "others may read it: 'chmod 600' it") }
    guard status.st_size <= 64 << 10 else { throw Unusable(reason: "it is too large for a private key") }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
    guard count == bytes.count else { throw Unusable(reason: "it cannot be read") }
    return bytes
  }

  static let rsaReason =
    "it is an RSA key, which libssh2 1.10 can only sign with SHA-1 and sshd refuses: "
    + "make an ed25519 key with 'ssh-keygen -t ed25519' and use that"
  static let encryptedReason = "it is encrypted: load it into an agent with 'ssh-add' and say 'identity: agent'"

  /// Tells what kind of key a PEM text holds.
  static func check(_ text: String) throws(Unusable) {
    let lines = text.split(whereSeparator: \.isNewline)
    guard let first = lines.first(where: { $0.hasPrefix("-----BEGIN ") }) else {
      let isPublic = text.hasPrefix("ssh-") || text.hasPrefix("ecdsa-")
      throw Unusable(reason: isPublic ? "it is the public half; name the file without .pub" : "it is no private key in PEM form")
    }
    if text.contains("Proc-Type: 4,ENCRYPTED") || first.contains("ENCRYPTED") { throw Unusable(reason: encryptedReason) }
    let body = lines.drop { !$0.hasPrefix("-----BEGIN ") }.dropFirst().prefix { !$0.hasPrefix("-----") }.joined()
    switch String(first) {
    case "-----BEGIN RSA PRIVATE KEY-----": throw Unusable(reason: rsaReason)
    case "-----BEGIN DSA PRIVATE KEY-----": throw Unusable(reason: "it is a DSA key: use ed25519")
    case "-----BEGIN OPENSSH PRIVATE KEY-----": try checkOpenSSH(Data(base64Encoded: body).map(Array.init) ?? [])
    case "-----BEGIN PRIVATE KEY-----":
      // The object identifier rsaEncryption, 1.2.840.113549.1.1.1.
      let marker: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]
      if let bytes = Data(base64Encoded: body), Array(bytes.prefix(64)).contains(marker) { throw Unusable(reason: rsaReason) }
    default: break
    }
  }

  /// openssh-portable, PROTOCOL.key.
  private static func checkOpenSSH(_ bytes: [UInt8]) throws(Unusable) {
    var reader = SSHWireReader(bytes)
    guard reader.skip(Array("openssh-key-v1\0".utf8)), let cipher = reader.string(), reader.string() != nil, reader.string() != nil,
      reader.uint32() == 1, let blob = reader.string()
    else { throw Unusable(reason: "it is not a whole OpenSSH private key") }
    var fields = SSHWireReader(blob)
    let type = String(decoding: fields.string() ?? [], as: UTF8.self)
    if type == "ssh-rsa" { throw Unusable(reason: rsaReason) }
    guard type == "ssh-ed25519" || type.hasPrefix("ecdsa-sha2-") else {
      throw Unusable(reason: "it is a key of type \(OutputTail.printable(type.utf8)): use ed25519 or ECDSA")
    }
    if String(decoding: cipher, as: UTF8.self) != "none" { throw Unusable(reason: encryptedReason) }
  }
}
