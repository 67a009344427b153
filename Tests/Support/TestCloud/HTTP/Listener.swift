import HummingbirdCore
import Logging
import NIOCore
import NIOPosix

/// An HTTP/1.1 server on the loopback interface.
enum Listener {
  typealias Responder = HTTPChannelHandler.Responder

  /// Serves as a task of the group until that is cancelled; gives the port.
  static func start(
    in group: inout ThrowingTaskGroup<Void, any Error>, port: Int, what: String, _ responder: @escaping Responder
  ) async throws -> Int {
    let (ports, running) = AsyncStream.makeStream(of: Result<Int, TestCloudError>.self)
    var logger = Logger(label: "test-cloud")
    logger.logLevel = .critical
    let server = Server(
      childChannelSetup: HTTP1Channel(responder: responder), configuration: ServerConfiguration(address: .hostname("127.0.0.1", port: port)),
      onServerRunning: { channel in running.yield(.success(channel.localAddress?.port ?? 0)) },
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
    group.addTask {
      do {
        try await server.run()
      } catch {
        running.yield(.failure(.notServing(what: what, reason: String(describing: error))))
      }
    }
    for await result in ports { return try result.get() }
    throw TestCloudError.notServing(what: what, reason: "it was cancelled")
  }
}
