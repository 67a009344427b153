import CLinux

/// What can be true of a descriptor, in the numbers of epoll_ctl(2).
///
/// Only ``readable``, ``writable`` and ``peerClosed`` can be asked for; the others are reported whether asked for or not.
package struct DescriptorEvents: OptionSet, Hashable, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  private init(_ event: EPOLL_EVENTS) { rawValue = event.rawValue }

  /// Reading does not block: there are bytes, or the end.
  package static let readable = DescriptorEvents(EPOLLIN)
  package static let writable = DescriptorEvents(EPOLLOUT)
  /// The peer of a socket sends nothing more.
  package static let peerClosed = DescriptorEvents(EPOLLRDHUP)
  package static let failed = DescriptorEvents(EPOLLERR)
  /// Both directions are closed, or the last writer of a pipe has gone.
  package static let hungUp = DescriptorEvents(EPOLLHUP)
  /// The system cannot watch this descriptor; the value is that of POLLNVAL, which epoll does not use.
  package static let invalid = DescriptorEvents(rawValue: 0x20)
}

extension DescriptorEvents {
  /// Called on the loop's thread, once, with what is true of the descriptor; with nothing if the deadline came first.
  package typealias Handler = (_ events: DescriptorEvents) -> Void
}
