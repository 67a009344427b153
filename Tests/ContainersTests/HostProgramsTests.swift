import BuildModel
import Containers
import FoundationEssentials
import TestFiles
import Testing

/// Which programs a host can run, by what the kernel says of binfmt_misc.
struct HostProgramsTests {
  private static let arm64 = Platform(os: "linux", architecture: "arm64", variant: "v8")

  /// An entry as the kernel shows it.
  private static func entry(_ machine: String, state: String = "enabled", flags: String = "OCF") -> String {
    "\(state)\ninterpreter /usr/libexec/qemu-binfmt/x-binfmt-P\nflags: \(flags)\noffset 0\n"
      + "magic 7f454c460201010000000000000000000200\(machine)\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
  }

  private func withEntries<Value>(_ entries: [String: String], _ body: (String) throws -> Value) throws -> Value {
    let scratch = try ScratchDirectory()
    for (name, text) in entries.merging(["register": "", "status": "enabled\n"], uniquingKeysWith: { a, _ in a }) {
      try scratch.write(text, to: name)
    }
    return try withExtendedLifetime(scratch) { try body(scratch.path) }
  }

  @Test(arguments: [
    ("x86_64", ["386", "amd64"]), ("aarch64", ["arm", "arm64"]), ("armv7l", ["arm"]), ("i686", ["386"]), ("riscv64", []),
  ])
  func aHostRunsItsOwn(_ machine: String, _ expected: [String]) throws {
    try withEntries([:]) { #expect(HostPrograms(kernelMachine: machine, directory: $0).architectures == expected) }
  }

  @Test func emulatorsCount() throws {
    let entries = [
      "qemu-aarch64": Self.entry("b700"), "qemu-arm": Self.entry("2800"),
      "python3.11": "enabled\ninterpreter /usr/bin/python3.11\nflags: \noffset 0\nmagic a70d0d0a\n",
    ]
    try withEntries(entries) {
      let host = HostPrograms(kernelMachine: "x86_64", directory: $0)
      #expect(host.architectures == ["386", "amd64", "arm", "arm64"])
      try host.check(Self.arm64)
    }
  }

  @Test(arguments: [
    ([:], "no emulator is registered in"), (["qemu-arm": entry("2800")], "no emulator for it is registered in"),
    (["qemu-aarch64": entry("b700", state: "disabled")], "is registered but disabled"),
    (["qemu-aarch64": entry("b700", flags: "OC")], "is registered without the flag F"),
    (["qemu-aarch64": "enabled\nmagic 7f45"], "no emulator for it"),
    (["qemu-aarch64": entry("zz00")], "no emulator for it"), (["qemu-aarch64": entry("b7ff")], "no emulator for it"),
  ])
  func theLackIsNamed(_ entries: [String: String], _ reason: String) throws {
    try withEntries(entries) { directory in
      let error = #expect(throws: ContainersError.self) { try HostPrograms(kernelMachine: "x86_64", directory: directory).check(Self.arm64) }
      let text = "\(error.map { "\($0)" } ?? "")"
      #expect(text.contains(reason), "\(text)")
      #expect(text.contains("linux/arm64/v8") && text.contains("x86_64") && text.contains("qemu-user-static") && text.contains("binfmt_misc"))
    }
  }
}
