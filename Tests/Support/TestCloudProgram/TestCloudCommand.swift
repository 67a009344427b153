import ArgumentParser
import Dispatch
import Foundation
import TestCloud

@main
struct TestCloudCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test-cloud",
    abstract: "Runs a stand-in for balenaCloud on this machine until it is interrupted.",
    discussion: "API, registry and all state end with the program. With --json one line tells a script where everything is.")

  @Option(help: "Port of the API on the loopback interface; 0 is any free one.")
  var port = 0
  @Flag(help: "Refuse what a careful publisher never does, beyond the real server's rules.")
  var strict = false
  @Option(help: "The answer to API keys that try an administrator's changes: unauthorized or ignored.")
  var adminRefusal = TestCloudConfiguration.AdminRefusal.unauthorized
  @Option(help: "A further device type as SLUG:ARCHITECTURE. May be repeated.")
  var deviceType: [NewDeviceType] = []
  @Flag(help: "One line of JSON instead of text.")
  var json = false
  @Flag(help: "Leave the registry out.")
  var noRegistry = false

  func run() async throws {
    var settings = TestCloudConfiguration()
    settings.port = port
    settings.isStrict = strict
    settings.adminRefusal = adminRefusal
    settings.deviceTypes += deviceType.map(\.value)
    let (interrupts, stream) = AsyncStream.makeStream(of: Void.self)
    let sources = Self.interrupts(stream)
    defer { for source in sources { source.cancel() } }
    try await withTestCloud(settings, hasRegistry: !noRegistry) { cloud in
      // Not buffered: whoever waits for the line sees it at once.
      FileHandle.standardOutput.write(Data(((json ? line(cloud) : text(cloud)) + "\n").utf8))
      for await _ in interrupts { break }
    }
  }

  /// SIGINT and SIGTERM give an element instead of ending the process.
  private static func interrupts(_ stream: AsyncStream<Void>.Continuation) -> [any DispatchSourceSignal] {
    [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler { stream.yield() }
      source.resume()
      return source
    }
  }

  private func text(_ cloud: TestCloud) -> String {
    let accounts = [cloud.accounts.admin, cloud.accounts.developer, cloud.accounts.outsider]
    return
      (["API       \(cloud.url)", "registry  \(cloud.registry.isEmpty ? "none" : cloud.registry)"]
      + accounts.map { "account   \($0.username)  password \($0.password)  API key \($0.apiKey)" } + ["Ctrl-C ends it."])
      .joined(separator: "\n")
  }

  private func line(_ cloud: TestCloud) -> String {
    func told(_ account: TestAccount) -> JSONValue {
      ["username": .string(account.username), "password": .string(account.password), "apiKey": .string(account.apiKey)]
    }
    let accounts = cloud.accounts
    return JSONValue.object([
      "url": .string(cloud.url), "registry": .string(cloud.registry), "admin": told(accounts.admin), "developer": told(accounts.developer),
      "outsider": told(accounts.outsider),
    ]).text
  }
}

extension TestCloudConfiguration.AdminRefusal: ExpressibleByArgument {}

/// `SLUG:ARCHITECTURE`.
struct NewDeviceType: ExpressibleByArgument {
  let value: TestCloudConfiguration.DeviceType

  init?(argument: String) {
    let parts = argument.split(separator: ":").map(String.init)
    guard parts.count == 2 else { return nil }
    value = TestCloudConfiguration.DeviceType(parts[0], parts[1])
  }
}
