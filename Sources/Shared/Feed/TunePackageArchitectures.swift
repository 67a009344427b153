/// PACKAGE_ARCHS by tune, for feeds whose build is not there to be asked (bitbake's own variable is always better).
///
/// Resolved from the tune files of poky (dunfell, kirkstone, scarthgap) and of meta-raspberrypi for arm1176jzfshf. Where releases differ (cortexa72),
/// the longer list is kept: it holds the others in the same order, and a directory that a feed does not have costs nothing.
package struct TunePackageArchitectures: Sendable {
  /// Lowest preference first; what PACKAGE_ARCHS is.
  package let architectures: [String]

  /// Takes a tune (`cortexa72`) or a machine of the table (`raspberrypi4-64`, whose own directory then comes last).
  package init(_ name: String) throws(FeedError) {
    let tune = Self.machines[name] ?? name
    guard let extra = Self.tunes[tune] else { throw .unknownTune(name, known: Self.known) }
    let own = Self.machines[name] == nil ? [] : [String(name.map { $0 == "-" ? "_" : $0 })]
    architectures = ["all", "any", "noarch"] + extra.split(separator: " ").map(String.init) + own
  }

  /// All names that can be asked for.
  package static var known: [String] { (Array(tunes.keys) + machines.keys).sorted() }

  /// PACKAGE_EXTRA_ARCHS, lowest preference first.
  private static let tunes = [
    "aarch64": "aarch64",
    "arm1176jzfshf": "armv5hf-vfp armv5thf-vfp armv5ehf-vfp armv5tehf-vfp armv6hf-vfp armv6thf-vfp arm1176jzfshf-vfp",
    "armv8a": "aarch64 armv8a",
    "armv8a-crc": "aarch64 armv8a armv8a-crc",
    "core2-32": "x86 i586 i686 core2-32",
    "core2-64": "x86_64 core2-64",
    "corei7-64": "x86_64 core2-64 corei7-64",
    "cortexa53": "aarch64 armv8a armv8a-crc cortexa53",
    "cortexa53-crypto": "aarch64 armv8a armv8a-crc armv8a-crypto armv8a-crc-crypto cortexa53 cortexa53-crypto",
    "cortexa57": "aarch64 armv8a armv8a-crc cortexa57",
    "cortexa72": "aarch64 armv8a armv8a-crc armv8a-crypto armv8a-crc-crypto cortexa72",
    "cortexa76": "aarch64 armv8a armv8-2a armv8-2a-crypto cortexa76",
    "cortexa78ae": "aarch64 armv8a armv8-2a armv8-2a-crypto cortexa78ae",
    "cortexa7thf-neon-vfpv4":
      "armv5hf-vfp armv5thf-vfp armv5ehf-vfp armv5tehf-vfp armv6hf-vfp armv6thf-vfp armv7ahf-vfp armv7at2hf-vfp armv7vehf-vfp "
      + "armv7vet2hf-vfp armv7vehf-neon armv7vet2hf-neon armv7vehf-neon-vfpv4 armv7vet2hf-neon-vfpv4 cortexa7hf-vfp cortexa7hf-neon "
      + "cortexa7hf-neon-vfpv4 cortexa7t2hf-vfp cortexa7t2hf-neon cortexa7t2hf-neon-vfpv4",
    "cortexa8hf-neon": "armv5hf-vfp armv5ehf-vfp armv6hf-vfp armv7ahf-vfp armv7ahf-neon cortexa8hf-vfp cortexa8hf-neon",
    "cortexa9thf-neon":
      "armv5hf-vfp armv5thf-vfp armv5ehf-vfp armv5tehf-vfp armv6hf-vfp armv6thf-vfp armv7ahf-vfp armv7at2hf-vfp armv7ahf-neon "
      + "armv7at2hf-neon cortexa9hf-vfp cortexa9hf-neon cortexa9t2hf-vfp cortexa9t2hf-neon",
    "i586": "x86 i586",
    "i586-nlp-32": "i586-nlp-32",
  ]

  private static let machines = [
    "generic-aarch64": "aarch64",
    "generic-amd64": "core2-64",
    "raspberrypi": "arm1176jzfshf",
    "raspberrypi2": "cortexa7thf-neon-vfpv4",
    "raspberrypi3": "cortexa7thf-neon-vfpv4",
    "raspberrypi3-64": "cortexa53",
    "raspberrypi4-64": "cortexa72",
    "raspberrypi5": "cortexa76",
  ]
}
