import BuildModel
import FoundationEssentials

/// Where people find a device repository: its remote `origin` as an https address, without anything that may be a credential.
package enum RepositoryURL {
  package static func read(_ source: SourceSpec, in plan: Plan) throws -> String? {
    guard let place = plan.locations.first(where: { $0.mirror == source.root.mirror }) else { return nil }
    let output = try GitCommand.run(
      ["config", "--default", "", "--get", "remote.origin.url"], in: place.path, repository: source.repository)
    return https(String(decoding: output.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }

  /// `https://host/path` and `git@host:path`; nil for paths of a machine and for what names an account.
  static func https(_ text: String) -> String? {
    var url = text
    if url.hasPrefix("git@"), let colon = url.firstIndex(of: ":") {
      url = "https://" + url[url.index(url.startIndex, offsetBy: 4)..<colon] + "/" + url[url.index(after: colon)...]
    }
    guard url.hasPrefix("https://"), !url.dropFirst("https://".count).prefix(while: { $0 != "/" }).contains("@") else { return nil }
    return url.hasSuffix(".git") ? String(url.dropLast(4)) : url
  }
}
