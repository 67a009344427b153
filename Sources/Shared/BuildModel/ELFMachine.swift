import Glibc

/// Which processor an ELF file is for (ELF header, `e_machine` at byte 18).
package struct ELFMachine: Sendable, Equatable, CustomStringConvertible {
  package let code: UInt16
  package let is64Bit: Bool
  package var description: String { Self.known.first { $0.code == code && $0.is64Bit == is64Bit }?.name ?? "processor \(code)" }

  private static let known: [(code: UInt16, is64Bit: Bool, name: String, kernels: [String])] = [
    (62, true, "x86-64", ["x86_64", "amd64"]),
    (183, true, "aarch64", ["aarch64", "arm64"]),
    (40, false, "32-bit ARM", ["armv6l", "armv7l", "armv8l", "aarch64"]),
    (3, false, "i386", ["i386", "i586", "i686", "x86_64"]),
    (243, true, "riscv64", ["riscv64"]),
  ]

  /// nil when the bytes are no ELF header.
  package init?(header: [UInt8]) {
    guard header.count >= 20, header.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { return nil }
    is64Bit = header[4] == 2
    code = header[5] == 2 ? UInt16(header[18]) << 8 | UInt16(header[19]) : UInt16(header[19]) << 8 | UInt16(header[18])
  }

  /// nil when the file cannot be read, or is none.
  package init?(file path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var header = [UInt8](repeating: 0, count: 20)
    guard read(descriptor, &header, 20) == 20 else { return nil }
    self.init(header: header)
  }

  /// Whether a host that calls itself so (`uname -m`) runs such a file.
  package func runs(onKernel machine: String) -> Bool {
    Self.known.contains { $0.code == code && $0.is64Bit == is64Bit && $0.kernels.contains(machine) }
  }

  /// The platform of images whose programs are such files; nil for processors that no device type has. The header does not say which ARM it is.
  package var platform: Platform? {
    switch (code, is64Bit) {
    case (62, true): Architecture.amd64.platform
    case (183, true): Architecture.aarch64.platform
    case (40, false): Platform(os: "linux", architecture: "arm", variant: nil)
    case (3, false): Architecture.i386.platform
    default: nil
    }
  }
}
