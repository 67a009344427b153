/// Lets tasks wait for each other: closed until so many are at it, or until it is opened.
actor Gate {
  private let needed: Int
  private var arrived = 0
  private var isOpen = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(openedBy needed: Int = .max) { self.needed = needed }

  func open() {
    isOpen = true
    for continuation in waiting { continuation.resume() }
    waiting = []
  }

  /// Returns when the gate is open; cancellation does not open it.
  func pass() async {
    arrived += 1
    if arrived >= needed { open() }
    if isOpen { return }
    await withCheckedContinuation { waiting.append($0) }
  }
}

/// Counts what is under way at the same time.
actor Census {
  private(set) var seen: [Int] = []
  private(set) var most = 0
  private var present = 0

  func enter(_ element: Int) {
    seen.append(element)
    present += 1
    most = max(most, present)
  }
  func leave() { present -= 1 }
}
