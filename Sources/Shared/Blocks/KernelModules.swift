import BuildModel

/// Kernel modules that nobody told depmod about.
///
/// OE packages run depmod in their postinst, which is not run for a block; without `modules.dep` in `lib/modules/<version>/` modprobe finds none of
/// the modules (kmod, depmod(8)).
enum KernelModules {
  /// For each kernel version with modules and without `modules.dep` one notice.
  static func notices(_ paths: some Sequence<[UInt8]>) -> [String] {
    var modules: [String: [String]] = [:]
    var indexed: Set<String> = []
    for path in paths {
      var parts = path.split(separator: UInt8(ascii: "/"))
      if parts.first?.elementsEqual("usr".utf8) == true { parts.removeFirst() }
      guard parts.count > 3, parts[0].elementsEqual("lib".utf8), parts[1].elementsEqual("modules".utf8), let last = parts.last else { continue }
      let version = String(decoding: parts[2], as: UTF8.self)
      let name = String(decoding: last, as: UTF8.self)
      if parts.count == 4, name == "modules.dep" || name == "modules.dep.bin" { indexed.insert(version) }
      if [".ko", ".ko.xz", ".ko.gz", ".ko.zst"].contains(where: name.hasSuffix) { modules[version, default: []].append(name) }
    }
    return modules.filter { !indexed.contains($0.key) }.sorted { $0.key < $1.key }.map { version, names in
      let shown = names.sorted().prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
      return
        "\(Counted(names.count, "kernel module")) of \(version) without depmod data (lib/modules/\(version)/modules.dep), modprobe will not find them: \(shown)"
    }
  }
}
