import FoundationEssentials
import Glibc

/// `FUZZ_TARGET=name Fuzz [libFuzzer's options and corpus directories]`. Built and run by deploy/fuzz; without a target it lists them.
///
/// The environment carries the target because libFuzzer starts the program again with options of its own.
@main
struct FuzzProgram {
  static func main() {
    guard let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] else {
      print(FuzzTarget.allCases.map(\.rawValue).joined(separator: "\n"))
      return
    }
    guard let target = FuzzTarget(rawValue: name) else {
      print("Fuzz: no target '\(name)'; there are: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
      exit(2)
    }
    FuzzTarget.current = target
    var count = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    exit(
      runDriver(&count, &arguments) { bytes, count in
        FuzzTarget.current.take(Array(UnsafeBufferPointer(start: bytes, count: count)))
        return 0
      })
  }
}

/// libFuzzer's own main, for programs that have one already (llvm, FuzzerInterface.h).
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
