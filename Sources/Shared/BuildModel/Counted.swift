/// A number with its noun, as people write it: `1 device type`, `3 device types`.
package struct Counted: Hashable, Sendable, CustomStringConvertible {
  package let count: Int64
  private let noun: String
  private let plural: String?

  /// `plural`: where it is more than the noun with an `s`.
  package init(_ count: some BinaryInteger, _ noun: String, plural: String? = nil) {
    self.count = Int64(clamping: count)
    (self.noun, self.plural) = (noun, plural)
  }

  package var description: String { "\(count) \(count == 1 ? noun : plural ?? noun + "s")" }
}
