import ArgumentParser
import BuildModel
import CoordinatorConfiguration
import FarmService
import FoundationEssentials
import Glibc

/// `blockfarm worker`: the hosts of the farm.
struct WorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Add, list, check, drain and clean worker hosts.",
    subcommands: [
      WorkerAddCommand.self, WorkerListCommand.self, WorkerCheckCommand.self, WorkerDrainCommand.self, WorkerResumeCommand.self,
      WorkerRemoveCommand.self, WorkerGarbageCommand.self, WorkerTransferCommand.self,
    ])
}
