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
  @Flag(name: .long, help: "Print the whole plan as JSON.")
  var json = false

  func run() async throws {
    let plan = try await Farm.plan(
      selection.request(), configuration: configurationOptions.load(), allowDirty: selection.allowDirty)
    if json { return try printJSON(plan) }
    for notice in plan.notices { Diagnostics.print("note: " + notice) }
    var table = TextTable(["DEVICE TYPE", "ARCH", "MACHINE", "VERSION", "COMMIT", "BLOCKS", ""])
    for task in plan.tasks {
      table.rows.append([
        task.slug.text, task.deviceType.arch.rawValue, task.deviceType.yocto.machine.text, task.osVersion, task.source.root.commit.short,
        task.blocks.map(\.name.text).joined(separator: " "), task.isRelease ? "" : "no release",
      ])
    }
    for skipped in plan.skipped {
      table.rows.append([skipped.slug.text, skipped.arch.rawValue, skipped.machine.text, skipped.osVersion, "-", "", "skipped: \(skipped.reason)"])
    }
    table.rows.sort { $0[0] < $1[0] }
    print(table.text())
    for task in plan.tasks {
      for block in task.blocks {
        print("\n\(task.slug) \(block.name) (\(block.platform))")
        print("  recipes:  \(block.recipes.map(\.text).joined(separator: " "))")
        print("  packages: \(block.packages.map(\.text).joined(separator: " "))")
      }
      for notice in task.notices { print("\n\(task.slug): \(notice)") }
    }
  }
}
