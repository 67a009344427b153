import Foundation
import Processes
import Testing

extension ProcessesTests {
  /// What a child has open: what it was given, and nothing else.
  @Suite struct DescriptorTests {
    /// Writes a line for each descriptor but the one that lists them: its number, and what it is.
    private let list = "ls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> \\(.*\\)/\\1 \\2/p' | grep -v ' /proc/'"

    /// What the descriptors of a child are, by their numbers.
    private func found(_ more: [Int32]) throws -> [Int: String] {
      var found: [Int: String] = [:]
      try withScratch { scratch in
        let file = open(scratch + "/output", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        defer { close(file) }
        // `ls` alone writes to the pipe of this script; all else it has from the script's shell.
        var child = try ChildProcess.spawn(shell(list), descriptors: ChildDescriptors(output: file, more: more), group: .session)
        #expect(try child.wait() == .exited(0))
        for line in try String(contentsOfFile: scratch + "/output", encoding: .utf8).split(separator: "\n") {
          let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
          found[try #require(Int(parts[0]))] = parts[1]
        }
      }
      return found
    }

    @Test func nothingElseIsOpen() throws {
      // As libraries open things: without a mark that keeps them from children.
      let unmarked = open("/dev/zero", O_RDONLY)
      var pair: [Int32] = [-1, -1]
      #expect(unmarked >= 0 && socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
      defer { for descriptor in pair + [unmarked] { close(descriptor) } }
      // That the list shows what is open is seen first.
      let given = try found([unmarked, pair[0]])
      #expect(given.keys.sorted() == [0, 1, 2, 3, 4])
      #expect(given[3] == "/dev/zero" && given[4]?.hasPrefix("socket:") == true)
      let bare = try found([])
      #expect(bare.keys.sorted() == [0, 1, 2])
      #expect(bare[0] == "/dev/null")
    }

    /// A caller may run without standard streams; the numbers of what it hands on are then among those of the child.
    @Test func descriptorsMayChangePlaces() throws {
      let own = try [2, 1, 0].map { try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)") }
      let found = try found([2, 1, 0])
      #expect(found.keys.sorted() == [0, 1, 2, 3, 4, 5])
      #expect([3, 4, 5].map { found[$0] } == own)
    }

    @Test func aDescriptorThatIsNotOpenIsAnError() {
      #expect { _ = try ChildProcess.spawn(shell("true"), descriptors: ChildDescriptors(input: 999_999), group: .own) } throws: {
        ($0 as? ProcessError) == .system(operation: "prepare descriptors for", subject: "sh", errno: EBADF)
      }
    }

    /// The end of a pipe comes when its child ends, whatever other children were started while it was made.
    @Test func noOtherChildHoldsAPipe() throws {
      let (mark, tree) = mark()
      defer { _ = tree.end(of: nil, grace: 0) }
      let rounds = 150
      let others = DispatchGroup()
      for _ in 0..<2 {
        others.enter()
        Thread.detachNewThread {
          for _ in 0..<rounds { _ = try? ChildProcess.spawn(shell("exec sleep 1000", environment: mark), group: .session) }
          others.leave()
        }
      }
      var held = 0
      var tried = 0
      while others.wait(timeout: .now()) == .timedOut || tried == 0 {
        tried += 1
        if try !pipeEnds() { held += 1 }
      }
      #expect(held == 0, "of \(tried)")
      #expect(tree.members(of: nil).count == 2 * rounds, "the others must still run")
    }

    /// Whether the end of a pipe is seen once its child has ended.
    private func pipeEnds() throws -> Bool {
      var pipe = try ChildPipe.output(of: "sh")
      var child = try ChildProcess.spawn(shell("exit 0"), descriptors: ChildDescriptors(output: pipe.childEnd), group: .session)
      #expect(try child.wait() == .exited(0))
      let output = pipe.takeOwn()
      _ = consume pipe
      defer { close(output) }
      // Another child that is just being started has the pipe until its own program is loaded.
      var polled = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      var byte: UInt8 = 0
      return poll(&polled, 1, 1000) == 1 && read(output, &byte, 1) == 0
    }

    /// Neither a run nor a start that fails leaves something open here.
    @Test func nothingStaysOpenHere() throws {
      func count() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
      try withScratch { scratch in
        _ = try words("true")
        let before = try count()
        let one = open("/dev/null", O_RDONLY | O_CLOEXEC)
        #expect(try count() == before + 1)
        close(one)
        for _ in 0..<20 {
          _ = try words("echo x")
          _ = try ChildProcess.run(shell("echo x; echo y >&2"), limits: .total(20), errors: { _ in }) { _ in }
          #expect(throws: ProcessError.self) { try words("true", directory: scratch + "/none") }
          #expect(throws: ProcessError.self) { try ChildProcess.capture(shell("yes"), seconds: 20, limit: 10) }
        }
        #expect(try count() == before)
      }
    }
  }
}
