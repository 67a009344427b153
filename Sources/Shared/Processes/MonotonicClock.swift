import Glibc

/// The clock that deadlines are measured with; it does not jump.
package enum MonotonicClock {
  /// Seconds since some moment before the program started.
  package static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
