import ArgumentParser
import BuildModel
import FarmService
import Feed

/// `blockfarm feed check`: everything that is wrong with a feed.
struct FeedCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Report everything that is wrong with a feed.",
    discussion: """
      Checks indexes, sizes and digests, and that each package's own control file agrees with its index. Without --archs or --tune every directory is \
      checked. A feed behind a URL is fetched whole. Exit status: 0 nothing is wrong, 1 something is, 2 the feed cannot be read.
      """)

  @OptionGroup var options: FeedOptions
  @Flag(name: .long, help: "Also unpack every package and check all its entries.")
  var contents = false
  @Flag(name: .long, help: "Print the report as JSON.")
  var json = false

  func run() async throws {
    let (report, absent) = try await options.inspection().check(depth: contents ? .contents : .packages)
    options.noteAbsent(absent)
    if json {
      try printJSON(report)
    } else {
      for finding in report.findings {
        let place = finding.line.map { ":\($0)" } ?? ""
        let kind = finding.isError ? "error" : "notice"
        try Results.print(Printable.text("\(kind) \(finding.rule.rawValue) \(finding.file)\(place): \(finding.reason)"))
      }
      let kept = report.counts.values.reduce(0, +) - report.findings.count
      if kept > 0 { try Results.print("and \(kept) more") }
      for (rule, count) in report.counts.sorted(by: { $0.key < $1.key }) { try Results.print("\(rule): \(count)") }
      let architectures = report.architectures.joined(separator: " ")
      try Results.print("\(Counted(report.packages, "package")) in \(architectures), \(Counted(report.errorCount, "error"))")
    }
    if report.errorCount > 0 { throw CommandStatus(status: 1) }
  }
}
