extension FixedWidthInteger {
  /// The nearest whole number that the type can hold; what is not a number counts as 0. `Self(_:)` ends the process for both.
  package init(saturating value: Double) {
    if let exact = Self(exactly: value.rounded()) { self = exact } else { self = value.isNaN ? 0 : value < 0 ? .min : .max }
  }

  /// The sum, or the end of the type's range where the sum is beyond it.
  package func addingSaturated(_ other: Self) -> Self {
    let (sum, overflows) = addingReportingOverflow(other)
    return overflows ? (other < 0 ? .min : .max) : sum
  }
}
