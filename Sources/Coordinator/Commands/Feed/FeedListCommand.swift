import ArgumentParser
import BuildModel
import FarmService
import Toolbox

/// `blockfarm feed list`: the packages of a feed.
struct FeedListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the packages of a feed.",
    discussion: "With --archs or --tune the candidate that a block would get is marked; of a feed behind a URL only the indexes are fetched.")

  @OptionGroup var options: FeedOptions
  @Flag(name: .long, help: "Print the listing as JSON.")
  var json = false

  private struct Document: Encodable {
    var version = 1
    var packages: [Package]
    var ignored: [String]
    var absent: [String]
  }

  /// Absent values are explicit nulls.
  private struct Package: Encodable {
    private enum Key: CodingKey { case name, version, architecture, file, size, recipe, license, digest, best, provides }

    var offer: FeedInspection.Offer

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(offer.stanza.name, forKey: .name)
      try container.encode(offer.stanza.version.text, forKey: .version)
      try container.encode(offer.architecture, forKey: .architecture)
      try container.encode(offer.stanza.file, forKey: .file)
      try container.encode(offer.stanza.size, forKey: .size)
      try container.encode(offer.stanza.recipe, forKey: .recipe)
      try container.encode(offer.stanza.license, forKey: .license)
      try container.encode(offer.stanza.sha256, forKey: .digest)
      try container.encode(offer.isBest, forKey: .best)
      try container.encode(offer.stanza.provides.map(\.description), forKey: .provides)
    }
  }

  func run() async throws {
    let listing = try await options.inspection().list()
    if json {
      return try printJSON(Document(packages: listing.offers.map { Package(offer: $0) }, ignored: listing.ignored, absent: listing.absent))
    }
    if !listing.ignored.isEmpty { Diagnostics.print("not in PACKAGE_ARCHS and not used: \(listing.ignored.joined(separator: ", "))") }
    options.noteAbsent(listing.absent)
    var table = TextTable(["", "PACKAGE", "VERSION", "ARCH", "BYTES", "RECIPE", "PROVIDES"])
    for offer in listing.offers {
      table.rows.append([
        offer.isBest == true ? "*" : "", offer.stanza.name.text, offer.stanza.version.text, offer.architecture, String(offer.stanza.size),
        Printable.text(offer.stanza.recipe ?? ""), offer.stanza.provides.map(\.description).joined(separator: ", "),
      ])
    }
    try Results.print(table.text())
  }
}
