extension Contract {
  /// The image labels of a block of this contract, by current and historic names; the values come from the contract, else from `defaults`,
  /// the `sw.image` contract of its class, else from the class.
  package func imageLabels(defaults: Contract?) -> [String: String] {
    let reboot = rebootRequired ?? defaults?.rebootRequired ?? (imageClass == "overlay" ? "1" : "0")
    return [
      "io.balena.image.class": imageClass,
      "io.balena.image.store": store ?? defaults?.store ?? "data",
      "io.balena.update.requires-reboot": reboot,
      "io.balena.image.requires-reboot": reboot,
    ]
  }
}
