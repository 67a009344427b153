import Testing

@testable import EventLoop

@Suite(.timeLimit(.minutes(1)))
struct DeadlineTests {
  private let loop: DescriptorLoop
  private let fired = Journal<String>()

  init() throws { loop = try DescriptorLoop(name: "deadline-test") }

  @Test(arguments: [-1000, 0, 30]) func comesWithoutAnEvent(milliseconds: Int) async throws {
    let pipe = try Pair.pipe()
    let deadline = ContinuousClock.now + .milliseconds(milliseconds)
    await loop.run { [loop, fired] in
      loop.watch(pipe.reading, for: .readable, until: deadline) { fired.add($0 == [] && deadline <= .now ? "late" : "early") }
    }
    #expect(fired.wait(for: 1) == ["late"])
    // It has fired: what comes now is nobody's.
    pipe.put()
    await loop.turns()
    #expect(fired.all == ["late"])
  }

  @Test func comeInTheirOrder() async throws {
    let pipes = [try Pair.pipe(), try Pair.pipe(), try Pair.pipe()]
    let began = ContinuousClock.now
    await loop.run { [loop, fired] in
      for (pipe, milliseconds) in zip(pipes, [90, 30, 60]) {
        loop.watch(pipe.reading, for: .readable, until: began + .milliseconds(milliseconds)) { _ in fired.add("\(milliseconds)") }
      }
    }
    #expect(fired.wait(for: 3) == ["30", "60", "90"])
    #expect(.now - began >= .milliseconds(90))
  }

  @Test func sleepsUntilThen() async throws {
    #expect(await loop.turnsDuring(.microseconds(20_900)) < 10)
  }

  @Test func canBePutOff() async throws {
    let pipe = try Pair.pipe()
    await loop.run { [loop, fired] in
      loop.watch(pipe.reading, for: .readable, until: .now + .milliseconds(10)) { _ in fired.add("first") }
      loop.watch(pipe.reading, for: .readable, until: .now + .seconds(1000)) { fired.add($0 == .readable ? "replaced" : "late") }
      loop.set(LoopTimer(), at: .now + .milliseconds(30)) { fired.add("timer") }
    }
    #expect(fired.wait(for: 1) == ["timer"])
    pipe.put()
    #expect(fired.wait(for: 2).last == "replaced")
  }

  @Test func timersComeOnceAndCanBeReplacedAndTakenBack() async throws {
    let (replaced, cancelled, last) = (LoopTimer(), LoopTimer(), LoopTimer())
    await loop.run { [loop, fired] in
      loop.set(replaced, at: .now) { fired.add("too early") }
      loop.set(replaced, at: .now + .milliseconds(20)) { fired.add("replaced") }
      loop.set(cancelled, at: .now + .milliseconds(10)) { fired.add("cancelled") }
      loop.cancel(cancelled)
      loop.cancel(LoopTimer())
      loop.set(last, at: .now + .milliseconds(40)) { fired.add("last") }
    }
    #expect(fired.wait(for: 2) == ["replaced", "last"])
    await loop.turns()
    #expect(fired.all.count == 2)
  }

  @Test func aTimerMaySetItselfAgain() async throws {
    let timer = LoopTimer()
    @Sendable func next(_ number: Int) {
      loop.set(timer, at: .now + .milliseconds(1)) { [fired] in
        fired.add("\(number)")
        if number < 5 { next(number + 1) }
      }
    }
    loop.perform { next(1) }
    #expect(fired.wait(for: 5) == ["1", "2", "3", "4", "5"])
  }
}
