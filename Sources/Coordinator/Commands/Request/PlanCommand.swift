import ArgumentParser
import BuildModel
import FarmService
import Planning

/// `blockfarm plan`: what a build would do.
struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show what a build would do: device types, versions, blocks, recipes and packages. Starts nothing.")

  @OptionGroup var configurationOptions: ConfigurationOptions
  @OptionGroup var selection: SelectionOptions
  @Flag(name: .long, help: "Show for every block (or those of --blocks), requirement by requirement, why it fits a device type or not.")
  var explain = false
  @Flag(name: .long, help: "Print the whole plan as JSON; with --explain also its explanations.")
  var json = false

  func run() async throws {
    var plan = try await Farm.plan(
      selection.request(isExplaining: explain), configuration: configurationOptions.load(), allowDirty: selection.allowDirty)
    if json {
      if !explain { plan.explanations = [] }
      try printJSON(plan)
    } else {
      for notice in plan.notices { Diagnostics.print("note: " + notice) }
      if explain { try printExplanations(of: plan) } else { try printTasks(of: plan) }
    }
    for complaint in plan.complaints { Diagnostics.error(complaint) }
    if !plan.complaints.isEmpty { throw CommandStatus(status: ExitStatus.failed.value) }
  }

  private func printExplanations(of plan: Plan) throws {
    for explanation in plan.explanations { try Results.print(explanation.lines.joined(separator: "\n") + "\n") }
    for skipped in plan.skipped { try Results.print("\(skipped.slug): skipped: \(skipped.reason)") }
    // What a task has to say besides its blocks, and names that only another repository knows.
    for task in plan.tasks { for notice in task.notices { try Results.print("\(task.slug): \(notice)") } }
  }

  private func printTasks(of plan: Plan) throws {
    var table = TextTable(["DEVICE TYPE", "ARCH", "MACHINE", "VERSION", "COMMIT", "BLOCKS", ""])
    for task in plan.tasks {
      table.rows.append([
        task.slug.text, task.deviceType.arch.rawValue, task.deviceType.yocto.machine.text, task.osVersion.text, task.source.root.commit.short,
        task.blocks.map(\.name.text).joined(separator: " "), task.isRelease ? "" : "no release",
      ])
    }
    for skipped in plan.skipped {
      table.rows.append([
        skipped.slug.text, skipped.arch.rawValue, skipped.machine.text, skipped.osVersion?.text ?? "-", "-", "", "skipped: \(skipped.reason)",
      ])
    }
    for failed in plan.failed {
      table.rows.append([failed.slug.text, failed.arch.rawValue, failed.machine.text, failed.osVersion?.text ?? "-", "-", "", "cannot be planned"])
    }
    table.rows.sort { $0[0] < $1[0] }
    try Results.print(table.text())
    for task in plan.tasks {
      for block in task.blocks {
        let file = plan.explanations.first { $0.deviceType == task.slug && $0.block == block.name.text }?.file
        try Results.print("\n\(task.slug) \(block.name) (\(block.platform))")
        if let file { try Results.print("  defined:  \(file)") }
        try Results.print("  made of:  \(block.origin.summary)")
        if !block.recipes.isEmpty { try Results.print("  recipes:  \(block.recipes.map(\.text).joined(separator: " "))") }
        if !block.packages.isEmpty { try Results.print("  packages: \(block.packages.map(\.text).joined(separator: " "))") }
      }
      for notice in task.notices { try Results.print("\n\(task.slug): \(notice)") }
    }
  }
}
