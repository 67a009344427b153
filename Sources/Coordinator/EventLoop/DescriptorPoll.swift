import CLinux
import Glibc

/// epoll(7) with an eventfd that ends a wait. Only ``wake()`` may be called off the loop's thread.
///
/// epoll and not poll(2), because a turn then costs what is ready and not what is watched: a farm has hundreds of idle sessions.
final class DescriptorPoll: Sendable {
  /// What an armed descriptor is recognised by. The serial tells it from an older use of the same number.
  struct Tag: Hashable {
    let descriptor: Int32
    let serial: UInt32

    fileprivate var word: UInt64 { UInt64(serial) << 32 | UInt64(UInt32(bitPattern: descriptor)) }
  }

  /// How arming a descriptor went.
  enum Arming: Equatable {
    case armed
    /// A file or a directory: never blocks, so there is nothing to wait for.
    case alwaysReady
    case refused
  }

  private let epoll: Int32
  private let wakeup: Int32

  init() throws(EventLoopError) {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll >= 0 else { throw EventLoopError(operation: "watch descriptors", errno: errno) }
    wakeup = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    // Not once only, and with a tag that no descriptor has: -1.
    var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: Tag(descriptor: -1, serial: 0).word))
    guard wakeup >= 0, epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event) == 0 else {
      let cause = errno
      close(wakeup)
      close(epoll)
      throw EventLoopError(operation: "make an event descriptor", errno: cause)
    }
  }

  deinit {
    close(wakeup)
    close(epoll)
  }

  /// Ends the wait that is under way, or else the next one; from any thread.
  func wake() { eventfd_write(wakeup, 1) }

  /// Reports the descriptor once, when one of the events is true. Replaces an earlier arming. There is no taking back: closing the descriptor does it.
  func arm(_ tag: Tag, _ events: DescriptorEvents) -> Arming {
    var event = epoll_event(events: events.rawValue | EPOLLONESHOT.rawValue, data: epoll_data_t(u64: tag.word))
    // After its report a descriptor stays known to epoll, unless it was closed: then the number may stand for another one by now.
    if epoll_ctl(epoll, EPOLL_CTL_MOD, tag.descriptor, &event) == 0 { return .armed }
    if errno == ENOENT, epoll_ctl(epoll, EPOLL_CTL_ADD, tag.descriptor, &event) == 0 { return .armed }
    return errno == EPERM ? .alwaysReady : .refused
  }

  /// Waits for at most `milliseconds` (-1: without limit) and hands over what became true. One that finds no room comes with the next wait:
  /// the kernel takes ready descriptors in turn.
  func wait(milliseconds: Int32, using room: UnsafeMutableBufferPointer<epoll_event>, _ report: (Tag, DescriptorEvents) -> Void) {
    let count = epoll_wait(epoll, room.baseAddress, Int32(room.count), milliseconds)
    for event in room.prefix(Int(max(0, count))) {
      let word = event.data.u64
      let tag = Tag(descriptor: Int32(bitPattern: UInt32(truncatingIfNeeded: word)), serial: UInt32(word >> 32))
      if tag.descriptor < 0 {
        var value: eventfd_t = 0
        eventfd_read(wakeup, &value)
      } else {
        report(tag, DescriptorEvents(rawValue: event.events))
      }
    }
  }
}
