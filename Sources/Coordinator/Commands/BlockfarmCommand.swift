import ArgumentParser
import BuildModel
import CoordinatorConfiguration
import FarmService
import FoundationEssentials
import Glibc

/// The program's root command.
@main
struct BlockfarmCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "blockfarm",
    abstract: "Build balenaOS device types and hostOS blocks on a farm of SSH workers.",
    discussion: """
      Exit status: 0 all good, 1 a device type failed, 2 usage or configuration (nothing was started), \
      3 the farm could not do it (no host is left, a disk is full, or another blockfarm is using this state), 130 cancelled.
      """,
    version: "0.1.0",
    groupedSubcommands: [
      CommandGroup(
        name: "Requests",
        subcommands: [
          BuildCommand.self, JenkinsCommand.self, PlanCommand.self, StatusCommand.self, ExplainCommand.self, LogsCommand.self, CancelCommand.self,
          AuditCommand.self,
        ]),
      CommandGroup(name: "Hosts", subcommands: [WorkerCommand.self]),
      CommandGroup(name: "Releases", subcommands: [ReleaseCommand.self]),
      CommandGroup(name: "Blocks and images", subcommands: [BlockCommand.self, FeedCommand.self, PreloadCommand.self]),
    ])

  /// Parses and runs; usage mistakes end with status 2, other failures with the status that they stand for.
  static func main() async {
    Results.reserveDescriptors()
    // A reader that went away is noticed by the failing write.
    signal(SIGPIPE, SIG_IGN)
    do {
      try CallerEnvironment.seal()
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand { try await asynchronous.run() } else { try command.run() }
    } catch let error as any BlamedError {
      Diagnostics.error(error.description)
      Glibc.exit(ExitStatus(error).value)
    } catch is CancellationError {
      Diagnostics.error("cancelled")
      Glibc.exit(ExitStatus.cancelled.value)
    } catch let error as CommandStatus {
      Glibc.exit(error.status)
    } catch {
      let status = exitCode(for: error)
      if status == .success { endWithHelp(fullMessage(for: error)) }
      guard status == .validationFailure else {
        Diagnostics.error("\(error)")
        Glibc.exit(ExitStatus(error).value)
      }
      Diagnostics.print(fullMessage(for: error))
      Glibc.exit(ExitStatus.usage.value)
    }
  }

  /// Help, the version and completion scripts are results, too.
  private static func endWithHelp(_ text: String) -> Never {
    do {
      if !text.isEmpty { try Results.print(text) }
      Glibc.exit(0)
    } catch {
      Diagnostics.error("\(error)")
      Glibc.exit(ExitStatus(error).value)
    }
  }
}
