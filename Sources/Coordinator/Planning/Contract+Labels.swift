extension Contract {
  /// The image labels of a block of this contract, by current and historic names; `defaults` is the `sw.image` contract of its class.
  package func imageLabels(defaults: Contract?) -> [String: String] { BlockPlanning.labels(self, defaults: defaults) }
}
