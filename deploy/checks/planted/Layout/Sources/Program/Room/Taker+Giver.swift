/// Counts as a part of Taker.swift.
extension Taker {
  func giver() -> Giver { Giver(taker: self) }
}
