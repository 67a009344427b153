import Foundation
import HTTPSupport
import TestServers
import Testing

@testable import Balena
@testable import HTTP

/// An API of our own that says no, in the ways that balenaCloud does.
@Suite(.timeLimit(.minutes(1)))
struct BalenaFaultTests {
  private let waits = Waits()

  private func client(_ server: FaultServer) throws -> BalenaClient {
    BalenaClient(http: try HTTPClient(settings: waits.settings()), api: try HTTPURL(server.origin), token: Secret("token"))
  }

  private static let nothing = Reply.send(200, [], #"{"d":[]}"#)
  private static let identity = Reply.send(200, [], #"{"d":[{"id":7}]}"#)
  private static let isPrivate = Reply.send(200, [], #"{"d":[{"is_private":true}]}"#)

  // MARK: Fields that not every server has

  /// The open server answers 500, others 400; nobody is kept waiting for it.
  @Test(arguments: [400, 500]) func fieldThatTheServerDoesNotHave(status: Int) async throws {
    let server = try FaultServer { request, _ in request.target.hasSuffix("?$select=id") ? Self.identity : Reply.send(status) }
    defer { server.stop() }
    #expect(try await client(server).isPrivate(RowID(7)) == nil)
    #expect(try await client(server).repositoryURL(of: RowID(7)).isKnown == false)
    #expect(waits.all.isEmpty)
    #expect(server.requests.count == 6)
  }

  @Test(arguments: [500, 502, 503, 504]) func outageIsNoUnknownField(status: Int) async throws {
    let server = try FaultServer { _, _ in Reply.send(status) }
    defer { server.stop() }
    #expect(await exchangeFailure { _ = try await client(server).isPrivate(RowID(7)) }?.status == status)
    #expect(await exchangeFailure { _ = try await client(server).repositoryURL(of: RowID(7)) }?.status == status)
    #expect(waits.all == [1, 2, 4, 8, 16, 32, 1, 2, 4, 8, 16, 32].map { .seconds($0) })
  }

  @Test func droppedProbeIsNoUnknownField() async throws {
    let server = try FaultServer { request, _ in request.target.hasSuffix("?$select=id") ? Self.identity : [.close] }
    defer { server.stop() }
    guard case .transport? = await exchangeFailure({ _ = try await client(server).isPrivate(RowID(7)) })?.exchange else {
      throw Missing(what: "a refusal")
    }
  }

  /// One failure of any kind is got over, also a 500 that hits nothing but the probe.
  @Test(arguments: [500, 502, 503]) func probeThatFailsOnceIsRepeated(status: Int) async throws {
    let server = try FaultServer { request, number in
      number == 1 ? Reply.send(status) : request.target.hasSuffix("?$select=id") ? Self.identity : Self.isPrivate
    }
    defer { server.stop() }
    #expect(try await client(server).isPrivate(RowID(7)) == true)
  }

  // MARK: New rows

  private func create(_ server: FaultServer) async throws -> RowID<ServiceTable> { try await client(server).service("main", of: RowID(1)) }

  /// As many tries as any request has and as much patience as is asked for; before each further POST the row is looked for.
  @Test func newRowIsTriedAsOftenAsAnyRequest() async throws {
    let server = try FaultServer { request, _ in request.method == "POST" ? Reply.send(503, [("Retry-After", "30")]) : Self.nothing }
    defer { server.stop() }
    #expect(await exchangeFailure { _ = try await create(server) }?.status == 503)
    #expect(server.requests.map(\.method) == ["GET"] + Array(repeating: ["POST", "GET"], count: 7).joined())
    #expect(waits.all == [30, 30, 30, 30, 30, 32].map { .seconds($0) })
  }

  @Test func newRowIsNotAskedForWithoutPatience() async throws {
    let server = try FaultServer { request, _ in request.method == "POST" ? Reply.send(503, [("Retry-After", "3600")]) : Self.nothing }
    defer { server.stop() }
    #expect(await exchangeFailure { _ = try await create(server) }?.status == 503)
    #expect(server.requests.map(\.method) == ["GET", "POST", "GET"] && waits.all.isEmpty)
  }

  /// The server carried it out all the same, a moment later.
  @Test(arguments: [503, 409, 0]) func newRowThatIsThereIsNotMadeTwice(status: Int) async throws {
    let server = try FaultServer { request, number in
      request.method == "POST" ? status == 0 ? [.close] : Reply.send(status) : number == 1 ? Self.nothing : Self.identity
    }
    defer { server.stop() }
    #expect(try await create(server) == RowID(7))
    #expect(server.requests.map(\.method) == ["GET", "POST", "GET"])
    #expect(waits.all == (status == 409 ? [] : [.seconds(1)]))
  }

  @Test func newRowWithoutANameOfItsOwnIsTriedAsOften() async throws {
    let server = try FaultServer { _, number in number < 7 ? Reply.send(503, [("Retry-After", "5")]) : Reply.send(201, [], #"{"id":9}"#) }
    defer { server.stop() }
    #expect(try await client(server).create(ImageTable.self, ["status": "running"]) == RowID(9))
    #expect(waits.all == [5, 5, 5, 8, 16, 32].map { .seconds($0) })
  }
}
