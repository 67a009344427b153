import ArgumentParser
import BuildModel
import FarmService
import Toolbox

/// `blockfarm block inspect`: what an image is and holds.
struct BlockInspectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show what a block image is and holds, whoever made it; all its digests are checked.")

  @Argument(help: "An OCI image layout (LAYOUT or LAYOUT:NAME) or a docker-archive (FILE or FILE:TAG).")
  var image: String
  @OptionGroup var platform: ImagePlatformOption
  @Flag(name: .long, help: "List the tree that the layers give.")
  var files = false
  @Flag(name: .long, help: "Print JSON.")
  var json = false

  func run() async throws {
    let block = try StoredBlock(image, platform: try platform.value())
    for note in block.notes { Diagnostics.print("\(image): \(note)") }
    let found = try await BlockInspection.inspect(block, files: files)
    if json { return try printJSON(found) }
    func line(_ name: String, _ value: String?) throws { if let value { try Results.print(name.padding(to: 12) + Printable.text(value)) } }
    for name in found.names { try line("name", name) }
    try line("image id", found.id.description)
    try line("manifest", found.manifest.map { "\($0) (\(found.manifestType ?? ""))" })
    try line("platform", found.platform)
    try line("created", found.created)
    for (key, value) in found.labels.sorted(by: { $0.key < $1.key }) { try line("label", "\(key)=\(value)") }
    for layer in found.layers {
      try line(
        "layer",
        "\(layer.diffID), \(Counted(layer.entries, "entry", plural: "entries")), \(Counted(layer.unpackedSize, "byte"))"
          + (layer.digest.map { ", stored as \($0), \(Counted(layer.size, "byte"))" } ?? ""))
    }
    try line("entries", "\(found.entries)")
    try line("compressor", found.compressor)
    for package in found.packages ?? [] {
      let names = package.listedAs.map { ", listed as \($0.map(\.text).joined(separator: ", "))" } ?? ""
      try line("package", "\(package.name) \(package.version) (\(package.architecture)) \(package.digest)\(names)")
    }
    if found.packages == nil { try line("packages", "unknown: no lock lies beside the image") }
    for file in found.files ?? [] { try Results.print(Self.line(file)) }
  }

  /// Mode, owner, size or device, path, and where a link leads.
  private static func line(_ file: BlockInspection.File) -> String {
    let letter = ["directory": "d", "symlink": "l", "character-device": "c", "block-device": "b", "fifo": "p"][file.type] ?? "-"
    var text = "\(letter)\(file.mode) \(file.uid):\(file.gid) \(file.size.map { "\($0)" } ?? file.device ?? "-") \(file.path)"
    if let target = file.target { text += " -> \(target)" }
    if let first = file.hardlinkOf { text += " link to \(first)" }
    for (name, value) in (file.xattrs ?? [:]).sorted(by: { $0.key < $1.key }) { text += " \(name)=0x\(value)" }
    return Printable.text(text)
  }
}

extension String {
  fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
