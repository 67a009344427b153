import BuildModel
import FarmService
import FoundationEssentials
import Reports

/// The end of a build for people: a table, the reasons of failures, the images.
enum OutcomeTable {
  static func text(_ result: Farm.BuildResult) -> String {
    var table = TextTable(["DEVICE TYPE", "ARCH", "VERSION", "OUTCOME", "HOST", "SECONDS", "BLOCKS", "REASON"])
    for report in result.index.deviceTypes {
      table.rows.append([
        report.slug.text, report.arch.rawValue, report.version?.text ?? "-", report.verdict, report.host?.text ?? "-",
        report.outcome == .skipped ? "-" : seconds(report), report.blocks.map(\.name.text).joined(separator: " "),
        (report.reason ?? "").split(separator: "\n").first.map(String.init) ?? "",
      ])
    }
    var text = table.text()
    for report in result.index.deviceTypes where report.outcome == .failed {
      text += "\n\n\(report.slug) \(report.verdict): \(report.reason ?? "")"
      for line in report.details.suffix(20) { text += "\n  \(line)" }
      if let log = report.log { text += "\n  log: \(result.directory)/\(report.slug)/\(log)" }
    }
    for problem in result.index.problems ?? [] { text += "\n\nnot built: \(problem)" }
    let images = result.index.deviceTypes.flatMap { report in report.images.map { "\(result.directory)/\(report.slug)/\($0.path)" } }
    if !images.isEmpty { text += "\n\nImages:\n" + images.map { "  " + $0 }.joined(separator: "\n") }
    if let shortfall = result.shortfall {
      text += "\n\n" + shortfall
      for problem in result.hostProblems { text += "\n  \(problem)" }
    }
    return text + "\n\nIndex: \(result.directory)/index.json"
  }

  private static func seconds(_ report: DeviceTypeReport) -> String {
    let tenths = Int(saturating: report.steps.reduce(0) { $0 + $1.seconds } * 10)
    return "\(tenths / 10).\(tenths % 10)"
  }
}
