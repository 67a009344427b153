import ArgumentParser

/// `blockfarm block`: blocks without a farm.
struct BlockCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "block", abstract: "Make hostOS blocks from a package feed, look at them, compare and push them, without a farm.",
    subcommands: [BlockBuildCommand.self, BlockInspectCommand.self, BlockDiffCommand.self, BlockPushCommand.self])
}
