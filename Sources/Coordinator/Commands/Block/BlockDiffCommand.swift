import ArgumentParser
import BuildModel
import FarmService
import Toolbox

/// `blockfarm block diff`: in what two images differ.
struct BlockDiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Compare two block images: properties, labels, packages (from their locks) and every entry of their trees.",
    discussion: "Exit status: 0 the same, 1 different, 2 one of them cannot be read.")

  @Argument(help: "LAYOUT, LAYOUT:NAME, FILE or FILE:TAG.")
  var first: String
  @Argument(help: "The image to compare it with.")
  var second: String
  @OptionGroup var platform: ImagePlatformOption
  @Flag(name: .long, help: "Print JSON.")
  var json = false

  func run() async throws {
    let blocks = try [first, second].map { place in
      let block = try StoredBlock(place, platform: try platform.value())
      for note in block.notes { Diagnostics.print("\(place): \(note)") }
      return block
    }
    let found = try await BlockComparison.compare(blocks[0], blocks[1])
    if json { try printJSON(found) } else { for difference in found.differences { try Results.print(Self.line(difference)) } }
    if !found.differences.isEmpty { throw CommandStatus(status: 1) }
  }

  private static func line(_ difference: BlockComparison.Difference) -> String {
    let sign = [.added: "+", .removed: "-", .changed: "~"][difference.change] ?? "~"
    let name = difference.area == "entry" ? difference.name : "\(difference.area) \(difference.name)"
    let details = difference.details.map { detail in
      let values = "\(detail.first ?? "none") → \(detail.second ?? "none")"
      return detail.property == difference.name || detail.property == "value" ? values : "\(detail.property) \(values)"
    }
    return Printable.text("\(sign) \(name)" + (details.isEmpty ? "" : ": " + details.joined(separator: ", ")))
  }
}
