import FoundationEssentials
import Glibc

/// `Fuzz TARGET [libFuzzer's options and corpus directories]`. Built and run by deploy/fuzz; without arguments it lists the targets.
@main
struct FuzzProgram {
  static func main() {
    var arguments = CommandLine.arguments
    guard arguments.count > 1 else {
      print(FuzzTarget.allCases.map(\.rawValue).joined(separator: "\n"))
      return
    }
    guard let target = FuzzTarget(rawValue: arguments.remove(at: 1)) else {
      print("Fuzz: no target '\(CommandLine.arguments[1])'; there are: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
      exit(2)
    }
    FuzzTarget.current = target
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var count = CInt(arguments.count)
    let status = words.withUnsafeMutableBufferPointer { buffer in
      var start = buffer.baseAddress
      return runDriver(&count, &start) { bytes, count in
        FuzzTarget.current.take(Array(UnsafeBufferPointer(start: bytes, count: count)))
        return 0
      }
    }
    exit(status)
  }
}

/// libFuzzer's own main, for programs that have one already (llvm, FuzzerInterface.h).
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
