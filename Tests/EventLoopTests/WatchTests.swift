import Glibc
import Testing

@testable import EventLoop

@Suite(.timeLimit(.minutes(1)))
struct WatchTests {
  private let loop: DescriptorLoop
  private let fired = Journal<DescriptorEvents>()

  init() throws { loop = try DescriptorLoop(name: "watch-test") }

  private func watch(_ descriptor: Int32, for events: DescriptorEvents, until deadline: ContinuousClock.Instant? = nil) {
    loop.perform { [loop, fired] in loop.watch(descriptor, for: events, until: deadline) { fired.add($0) } }
  }

  @Test func firesOnce() async throws {
    let pipe = try Pair.pipe()
    watch(pipe.reading, for: .readable)
    await loop.turns()
    #expect(fired.all == [])
    pipe.put(2)
    #expect(fired.wait(for: 1) == [.readable])
    // There is still something to read, and nobody watches: the loop must not go round and round for it.
    #expect(await loop.turnsDuring(.milliseconds(30)) < 10)
    #expect(fired.all == [.readable])
  }

  @Test func saysWhatIsTrueAlready() async throws {
    let sockets = try Pair.sockets()
    sockets.put()
    watch(sockets.reading, for: [.readable, .writable])
    #expect(fired.wait(for: 1) == [[.readable, .writable]])
  }

  @Test func saysThatThePeerHasGone() async throws {
    let sockets = try Pair.sockets()
    watch(sockets.reading, for: .peerClosed)
    sockets.put()
    await loop.turns()
    #expect(fired.all == [])
    shutdown(sockets.writing, Int32(SHUT_WR))
    #expect(fired.wait(for: 1) == [.peerClosed])
    shutdown(sockets.writing, Int32(SHUT_RDWR))
    watch(sockets.reading, for: [])
    #expect(fired.wait(for: 2).last == .hungUp)
  }

  @Test func aHandlerMayWatchAgain() async throws {
    let pipe = try Pair.pipe()
    let total = 1000
    @Sendable func next() {
      loop.watch(pipe.reading, for: .readable) { [fired] events in
        #expect(pipe.take() == 1)
        fired.add(events)
        if fired.all.count < total { next() }
      }
    }
    loop.perform { next() }
    pipe.put(total / 2)
    pipe.put(total / 2)
    #expect(fired.wait(for: total).count == total)
  }

  @Test func unwatchedIsNotCalled() async throws {
    let pipe = try Pair.pipe()
    watch(pipe.reading, for: .readable)
    await loop.turns()
    await loop.run { [loop] in loop.unwatch(pipe.reading) }
    pipe.put()
    await loop.turns()
    #expect(fired.all == [])
    // Nor when its deadline comes.
    await loop.run { [loop, fired] in
      loop.watch(pipe.reading, for: .peerClosed, until: .now + .milliseconds(1)) { fired.add($0) }
      loop.unwatch(pipe.reading)
    }
    _ = await loop.turnsDuring(.milliseconds(10))
    #expect(fired.all == [])
  }

  /// Both are ready in the same look; whoever is called first takes the other back.
  @Test func aHandlerMayTakeBackOneThatIsDue() async throws {
    let pipes = [try Pair.pipe(), try Pair.pipe()]
    for pipe in pipes { pipe.put() }
    await loop.run { [loop, fired] in
      for (pipe, other) in zip(pipes, pipes.reversed()) {
        loop.watch(pipe.reading, for: .readable) { events in
          fired.add(events)
          loop.unwatch(other.reading)
        }
      }
    }
    await loop.turns()
    #expect(fired.all == [.readable])
  }

  /// What was true for the old watch need not be true for the new one. And the kernel does not report a second time by itself.
  @Test func aHandlerMayReplaceOneThatIsDue() async throws {
    let pipes = [try Pair.pipe(), try Pair.pipe()]
    for pipe in pipes { pipe.put() }
    let calls = Journal<String>()
    await loop.run { [loop] in
      for (pipe, other) in zip(pipes, pipes.reversed()) {
        loop.watch(pipe.reading, for: .readable) { _ in
          calls.add("first")
          #expect(other.take() == 1)
          loop.watch(other.reading, for: .readable) { _ in calls.add("replacement") }
        }
      }
    }
    await loop.turns()
    #expect(calls.all == ["first"])
    for pipe in pipes { pipe.put() }
    #expect(calls.wait(for: 2) == ["first", "replacement"])
    await loop.turns()
    #expect(calls.all.count == 2)
  }

  @Test func canBeReplacedByAnother() async throws {
    let sockets = try Pair.sockets()
    watch(sockets.reading, for: .peerClosed)
    await loop.turns()
    watch(sockets.reading, for: .readable)
    await loop.turns()
    #expect(fired.all == [])
    sockets.put()
    #expect(fired.wait(for: 1) == [.readable])
  }

  /// A number that was watched, has fired or was taken back, and was closed, stands for another descriptor.
  @Test(arguments: [true, false]) func numbersMayBeUsedAgain(hasFired: Bool) async throws {
    let number = fcntl(0, F_DUPFD, 200)
    defer { close(number) }
    for round in 1...3 {
      let pipe = try Pair.pipe()
      #expect(dup2(pipe.reading, number) == number)
      watch(number, for: .readable)
      await loop.turns(2)
      #expect(fired.all.count == round - 1)
      pipe.put()
      #expect(fired.wait(for: round).count == round)
      #expect(pipe.take() == 1)
      if !hasFired {
        watch(number, for: .readable)
        await loop.run { [loop] in loop.unwatch(number) }
        await loop.turns()
        #expect(fired.all.count == round)
      }
    }
  }

  /// The kernel watches what is open and not the number: the old pipe lives on under another one.
  @Test func reportsOfAnEarlierUseAreNobodys() async throws {
    let number = fcntl(0, F_DUPFD, 200)
    defer { close(number) }
    let (old, new) = (try Pair.pipe(), try Pair.pipe())
    #expect(dup2(old.reading, number) == number)
    watch(number, for: .readable)
    await loop.turns()
    await loop.run { [loop] in loop.unwatch(number) }
    #expect(dup2(new.reading, number) == number)
    watch(number, for: .readable)
    await loop.turns()
    old.put()
    await loop.turns()
    #expect(fired.all == [])
    new.put()
    #expect(fired.wait(for: 1) == [.readable])
  }

  @Test func watchesMoreThanOneLookCanReport() async throws {
    let pairs = try (0..<400).map { _ in try Pair.pipe() }
    let numbers = Journal<Int>()
    await loop.run { [loop] in
      for (number, pair) in pairs.enumerated() { loop.watch(pair.reading, for: .readable) { _ in numbers.add(number) } }
    }
    await loop.turns()
    #expect(numbers.all == [])
    await loop.run { for pair in pairs { pair.put() } }
    #expect(Set(numbers.wait(for: 400)) == Set(0..<400))
    await loop.turns()
    #expect(numbers.all.count == 400)
  }

  @Test func filesAreAlwaysReadyAndNothingIsInvalid() async throws {
    let file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
    defer { close(file) }
    watch(file, for: .readable)
    #expect(fired.wait(for: 1) == [.readable])
    watch(9999, for: .readable)
    #expect(fired.wait(for: 2).last == .invalid)
  }
}
