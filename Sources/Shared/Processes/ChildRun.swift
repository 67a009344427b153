import Glibc

/// A child and what it writes, from its start to its end.
struct ChildRun: ~Copyable {
  var child: StartedChild
  var output: ChildOutput

  init(child: consuming StartedChild, output: consuming ChildOutput) {
    self.child = child
    self.output = output
  }

  /// Waits for the child's end or a bound, and hands on what it writes.
  mutating func follow(
    limits: ChildLimits, interruption: Interruption?, verdict: () -> ChildEnd?,
    deliver: (_ stream: Int, _ piece: UnsafeRawBufferPointer) throws -> Void
  ) throws -> ChildEnd {
    var lastOutput = MonotonicClock.now
    do {
      while true {
        if try output.drain(deliver) { lastOutput = MonotonicClock.now }
        if let end = try child.reap(strays: interruption != nil) {
          _ = try output.drain(deliver)
          return end
        }
        if interruption?.isRequested == true { return .cancelled }
        let now = MonotonicClock.now
        let limit = min(limits.deadline, lastOutput + limits.silentSeconds)
        if now >= limit {
          if interruption == nil { child.kill() }
          return now >= limits.deadline ? .overdue : .silent
        }
        if let end = verdict() {
          if interruption == nil { child.kill() }
          return end
        }
        wait(limit - now, interruption)
      }
    } catch {
      // Whoever takes the output failed (a full disk): nobody would read the child's streams any more.
      child.kill()
      throw error
    }
  }

  /// Waits until something can be done; at most a second, for orphans to be collected, and a twentieth of one where the child's end must be looked for.
  private func wait(_ seconds: Double, _ interruption: Interruption?) {
    var polled = (output.sources + [child.endDescriptor, interruption?.descriptor ?? -1]).map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    let most = min(seconds, child.endDescriptor >= 0 ? 1 : 0.05)
    poll(&polled, nfds_t(polled.count), Int32((most * 1000).rounded(.up)))
  }
}
