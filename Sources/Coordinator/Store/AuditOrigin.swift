import BuildModel
import Glibc

/// Who this process acts for, as far as the system and its environment say.
enum AuditOrigin {
  /// The account's name, else its number.
  static func account() -> String {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16 << 10)
    // The entry points into the buffer.
    return buffer.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress, getpwuid_r(getuid(), &entry, start, buffer.count, &found) == 0, found != nil, let name = entry.pw_name
      else { return "\(getuid())" }
      return String(cString: name)
    }
  }

  /// sudo's caller, the client of an SSH session (sshd's SSH_CONNECTION begins with its address), and the URL of a Jenkins build.
  static func origin(in environment: [String: String]) -> String? {
    var words: [String] = []
    if let url = environment["BUILD_URL"], !url.isEmpty { words.append("jenkins \(url)") }
    if let client = environment["SSH_CONNECTION"]?.split(separator: " ").first { words.append("ssh \(client)") }
    if let caller = environment["SUDO_USER"], !caller.isEmpty { words.append("sudo by \(caller)") }
    return words.isEmpty ? nil : String(words.joined(separator: ", ").prefix(500))
  }
}
