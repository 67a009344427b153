import BuildModel

/// The pre-defined Dockerfile: opkg of a base image installs the listed packages of the feed into an empty tree, which becomes the image.
///
/// It gives what blockfarm's own assembly gives, in the way of the scripts that balena had until 2024, with their defects mended: the order of
/// architectures is PACKAGE_ARCHS, a missing package fails, no maintainer script runs (an offline root), the platform is the device's. opkg is called
/// as OpenEmbedded calls it when it makes root file systems (its `OpkgPM`).
package struct DockerfileOfPackages: Sendable {
  package let dockerfile: String
  /// The file `opkg.conf` of the build context.
  package let configuration: String

  private static let program = ["opkg", "-f", "/etc/opkg/blockfarm.conf", "-o", "/hostapp", "--volatile-cache"]

  /// What opkg keeps for itself lies here, so that nothing of it is mixed with the packages' files.
  private static let ownDirectory = "/.blockfarm-opkg"

  /// - Parameters:
  ///   - packages: what the block's list stands for. opkg up to 0.6 does not find a name that is provided with a version.
  ///   - architectures: directories below `ipk/` of the build context, lowest preference first.
  ///   - baseImage: as FROM takes it; it must hold opkg and run on the host.
  ///   - host: the building host's platform. The stage with opkg is built in it, since unpacking needs nothing of the device.
  package init(
    _ block: BlockSpec, packages: [PackageName], architectures: [String], baseImage: String, host: Platform
  ) throws(BlocksError) {
    guard !baseImage.isEmpty, baseImage.utf8.count <= 1024, baseImage.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 36 }), !baseImage.hasPrefix("-")
    else { throw .dockerfile(block: block.name, "'\(baseImage.prefix(200))' cannot be the base image of the pre-defined Dockerfile") }
    guard !packages.isEmpty else { throw .dockerfile(block: block.name, "the pre-defined Dockerfile needs a list of packages") }
    func run(_ words: [String]) -> String { "RUN [\(words.map(Self.quoted).joined(separator: ", "))]" }
    let install = Self.program + ["--nodeps", "--prefer-arch-to-version", "install"] + packages.map(\.text)
    let lines =
      [
        "FROM --platform=\(host) \(baseImage) AS packages", "COPY ipk /ipk", "COPY opkg.conf /etc/opkg/blockfarm.conf", "WORKDIR /hostapp",
        run(Self.program + ["update"]), run(install),
        // What opkg notes for itself is no part of the block, wherever a build of it puts its lock and its cache. Directories that are empty then
        // go, too; those that packages fill stay.
        run(["rm", "-rf"] + [Self.ownDirectory, "/var/lib/opkg", "/var/cache/opkg", "/var/run/opkg.lock"].map { "/hostapp" + $0 }),
        run(["sh", "-c", "rmdir /hostapp/var/run /hostapp/var/cache 2>/dev/null; true"]), "FROM scratch", "COPY --from=packages /hostapp /",
      ] + block.labels.sorted { $0.key < $1.key }.map { "LABEL \(Self.quoted($0.key))=\(Self.quoted($0.value))" }
    dockerfile = lines.joined(separator: "\n") + "\n"
    // The steps are OpenEmbedded's; a higher number is preferred.
    let priorities = architectures.enumerated().map { "arch \($0.element) \(1 + 5 * $0.offset)" }
    configuration =
      (priorities + architectures.map { "src blockfarm-\($0) file:/ipk/\($0)" }
      + [("lists_dir", "lists"), ("info_dir", "info"), ("status_file", "status"), ("cache_dir", "cache"), ("lock_file", "lock")].map {
        "option \($0) \(Self.ownDirectory)/\($1)"
      }).joined(separator: "\n") + "\n"
  }

  /// In double quotes, with nothing left that a Dockerfile would replace.
  private static func quoted(_ text: String) -> String {
    "\"" + text.flatMap { ["\"", "\\", "$"].contains($0) ? "\\\($0)" : $0 == "\n" ? " " : "\($0)" } + "\""
  }
}
