import CLinux
import Glibc

/// What a loop waits for: descriptors and moments. Not thread-safe: all of it belongs to the loop's thread.
final class WatchTable {
  private enum Key: Hashable {
    case descriptor(Int32)
    case timer(LoopTimer)
  }
  private struct Watch {
    /// Tells this watch from the ones before it on the same descriptor.
    let id: UInt64
    var events: DescriptorEvents = []
    var deadline: ContinuousClock.Instant?
    /// The serial under which the kernel will report it; nil: the kernel does not watch it now.
    var armed: UInt32?
    var handler: DescriptorEvents.Handler
  }
  private struct Due {
    let key: Key
    let id: UInt64
    let events: DescriptorEvents
  }

  private let poll: DescriptorPoll
  private var watches: [Key: Watch] = [:]
  /// Descriptors to arm before the next wait; some may be watched no longer, or be in here twice.
  private var unarmed: [Int32] = []
  private var lastID: UInt64 = 0
  private var lastSerial: UInt32 = 0
  /// No deadline is earlier than this; nil: there is no deadline at all. It is exact after each search and too early once a deadline was taken back.
  /// So a new deadline costs nothing, and the watches are only searched when one of them may be late.
  private var earliest: ContinuousClock.Instant?
  private var due: [Due] = []
  private let room = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 256)

  init(poll: DescriptorPoll) { self.poll = poll }
  deinit { room.deallocate() }

  func watch(
    _ descriptor: Int32, for events: DescriptorEvents, until deadline: ContinuousClock.Instant?, handler: @escaping DescriptorEvents.Handler
  ) {
    let key = Key.descriptor(descriptor)
    var watch = Watch(id: makeID(), events: events, deadline: deadline, handler: handler)
    // Only a later deadline or another handler: the kernel need not know.
    if let old = watches[key], old.events == events { watch.armed = old.armed }
    if watch.armed == nil { unarmed.append(descriptor) }
    watches[key] = watch
    note(deadline)
  }

  /// The kernel may still report it once, which nobody will hear.
  func unwatch(_ descriptor: Int32) { watches[.descriptor(descriptor)] = nil }

  func set(_ timer: LoopTimer, at moment: ContinuousClock.Instant, handler: @escaping () -> Void) {
    watches[.timer(timer)] = Watch(id: makeID(), deadline: moment) { _ in handler() }
    note(moment)
  }

  func cancel(_ timer: LoopTimer) { watches[.timer(timer)] = nil }

  /// Waits until something is due, or only looks, and calls the handlers of all that is.
  func wait(mayBlock: Bool) {
    armAll()
    poll.wait(milliseconds: mayBlock && due.isEmpty ? millisecondsLeft : 0, using: room) { tag, events in
      let key = Key.descriptor(tag.descriptor)
      // A report under another serial is about a descriptor that had this number before.
      guard let watch = watches[key], watch.armed == tag.serial else { return }
      // The kernel reports once.
      watches[key]?.armed = nil
      due.append(Due(key: key, id: watch.id, events: events))
    }
    findLate()
    for entry in due {
      // A handler before this one may have taken the watch back or replaced it.
      guard let watch = watches[entry.key], watch.id == entry.id else { continue }
      watches[entry.key] = nil
      watch.handler(entry.events)
    }
    due.removeAll(keepingCapacity: true)
  }

  private func armAll() {
    for descriptor in unarmed {
      let key = Key.descriptor(descriptor)
      guard let watch = watches[key], watch.armed == nil else { continue }
      lastSerial &+= 1
      switch poll.arm(DescriptorPoll.Tag(descriptor: descriptor, serial: lastSerial), watch.events) {
      case .armed: watches[key]?.armed = lastSerial
      case .alwaysReady: due.append(Due(key: key, id: watch.id, events: watch.events.intersection([.readable, .writable])))
      case .refused: due.append(Due(key: key, id: watch.id, events: .invalid))
      }
    }
    unarmed.removeAll(keepingCapacity: true)
  }

  // MARK: Deadlines

  private func note(_ deadline: ContinuousClock.Instant?) {
    guard let deadline else { return }
    earliest = min(earliest ?? deadline, deadline)
  }

  /// Rounded up: a wait that ends too early would have to begin again. At most a minute, for the argument of epoll_wait is small.
  private var millisecondsLeft: Int32 {
    guard let earliest else { return -1 }
    let left = (earliest - ContinuousClock.now) / Duration.milliseconds(1)
    return Int32(max(0, min(60_000, left.rounded(.up))))
  }

  private func findLate() {
    guard let bound = earliest else { return }
    let now = ContinuousClock.now
    guard bound <= now else { return }
    earliest = nil
    for (key, watch) in watches {
      guard let deadline = watch.deadline else { continue }
      if deadline <= now { due.append(Due(key: key, id: watch.id, events: [])) } else { note(deadline) }
    }
  }

  private func makeID() -> UInt64 {
    lastID += 1
    return lastID
  }
}
