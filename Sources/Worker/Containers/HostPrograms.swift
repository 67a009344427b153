import BuildModel
import Glibc
import Processes

/// Which platforms' programs a host can run: its own, and those that binfmt_misc gives to an emulator
/// (kernel documentation, admin-guide/binfmt-misc.rst).
package struct HostPrograms: Sendable {
  private let kernelMachine: String
  private let directory: String

  /// `kernelMachine` is what `uname -m` says, `directory` where binfmt_misc is mounted.
  package init(kernelMachine: String, directory: String = "/proc/sys/fs/binfmt_misc") {
    self.kernelMachine = kernelMachine
    self.directory = directory
  }

  /// This host.
  package static var current: HostPrograms {
    var system = utsname()
    uname(&system)
    return HostPrograms(
      kernelMachine: withUnsafePointer(to: &system.machine) { $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) } })
  }

  /// The platform of the host itself, in which stages that make nothing for the device are built; nil where the architecture is not known.
  package var native: Platform? {
    switch kernelMachine {
    case "x86_64", "amd64": Platform(os: "linux", architecture: "amd64", variant: nil)
    case "aarch64", "arm64": Platform(os: "linux", architecture: "arm64", variant: "v8")
    case "armv7l", "armv8l": Platform(os: "linux", architecture: "arm", variant: "v7")
    case "armv6l": Platform(os: "linux", architecture: "arm", variant: "v6")
    case "i386", "i486", "i586", "i686": Platform(os: "linux", architecture: "386", variant: nil)
    default: nil
    }
  }

  /// OCI's names of the architectures whose programs run here, sorted.
  package var architectures: [String] { ["386", "amd64", "arm", "arm64"].filter { obstacle(to: $0) == nil } }

  /// Throws when programs of the platform cannot run here.
  package func check(_ platform: Platform) throws(ContainersError) {
    if let reason = obstacle(to: platform.architecture) {
      throw .cannotRun(platform: platform.description, host: kernelMachine, reason: reason)
    }
  }

  /// Why programs of an architecture cannot run here; nil when they can.
  private func obstacle(to architecture: String) -> String? {
    let own: [String] =
      switch native?.architecture {
      case "amd64": ["amd64", "386"]
      case "arm64": ["arm64", "arm"]
      case let one?: [one]
      case nil: []
      }
    if own.contains(architecture) { return nil }
    guard let wanted = Self.elfMachine[architecture] else { return "programs of '\(architecture)' are not known to blockfarm" }
    let entries = emulators()
    let fitting = entries.filter { $0.machine == wanted }
    if fitting.contains(where: { $0.isEnabled && $0.isFixed }) { return nil }
    if let first = fitting.first {
      return first.isEnabled
        ? "the emulator \(first.interpreter) is registered without the flag F, so that containers cannot see it"
        : "the emulator \(first.interpreter) is registered but disabled"
    }
    return entries.isEmpty ? "no emulator is registered in \(directory)" : "no emulator for it is registered in \(directory)"
  }

  /// e_machine of ELF programs (elf(5), EM_386 …).
  private static let elfMachine: [String: UInt8] = ["386": 3, "arm": 40, "amd64": 62, "arm64": 183]

  private struct Emulator {
    var machine: UInt8?
    var interpreter = ""
    var isEnabled = false
    /// The flag F: the kernel opened the emulator when it was registered.
    var isFixed = false
  }

  private func emulators() -> [Emulator] {
    guard let handle = opendir(directory) else { return [] }
    defer { closedir(handle) }
    var found: [Emulator] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard !name.hasPrefix("."), name != "register", name != "status",
        let bytes = BoundedFile.contents("\(directory)/\(name)", limit: 65536)
      else { continue }
      found.append(Self.parse(String(decoding: bytes, as: UTF8.self)))
    }
    return found
  }

  private static func parse(_ text: String) -> Emulator {
    var emulator = Emulator()
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1)
      switch words.first {
      case "enabled": emulator.isEnabled = true
      case "interpreter": emulator.interpreter = words.count > 1 ? String(words[1].prefix(200)) : ""
      case "flags:": emulator.isFixed = words.count > 1 && words[1].contains("F")
      case "magic":
        // Two digits a byte; e_machine is the 18th, little-endian.
        let digits = words.count > 1 ? Array(words[1].utf8) : []
        guard digits.count >= 40, digits.starts(with: "7f454c46".utf8) else { continue }
        if UInt8(String(decoding: digits[38..<40], as: UTF8.self), radix: 16) == 0 {
          emulator.machine = UInt8(String(decoding: digits[36..<38], as: UTF8.self), radix: 16)
        }
      default: continue
      }
    }
    return emulator
  }
}
