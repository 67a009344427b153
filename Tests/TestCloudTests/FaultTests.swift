import HTTPTypes
import NIOCore
import Testing

@testable import TestCloud

@Suite struct FaultTests {
  @Test func rateLimits() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      await cloud.traffic.inject(Fault(.api, nil, nil, times: 2, .rateLimited(seconds: 7)))
      let body: JSONValue = ["username": .string(cloud.accounts.admin.email), "password": .string(cloud.accounts.admin.password)]
      for _ in 0..<2 {
        let answer = try await Caller(cloud: cloud).send(.post, "/login_", body)
        #expect(answer.status == 429 && answer.headers[.retryAfter] == "7" && answer.json == "Too Many Requests")
      }
      #expect(try await Caller(cloud: cloud).send(.post, "/login_", body).status == 200)
    }
  }

  @Test func theNthOfItsKind() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      await cloud.traffic.inject(Fault(.api, .get, "/v7/release", nth: 2, times: 1, .reply(status: 503)))
      let passed = try await caller.get("release")
      #expect(passed.status == 200)
      // Neither another resource whose name begins alike, nor another method.
      #expect(try await caller.get("release_tag").status == 200)
      #expect(try await caller.patch("release(1)", ["note": "x"]).status == 200)
      #expect(try await caller.get("release(5)?$select=id").status == 503)
      #expect(try await caller.get("release").status == 200)
      await cloud.traffic.inject(Fault(request: 7, .reply(status: 500)))
      #expect(try await caller.get("application").status == 200)
      #expect(try await caller.get("application").status == 500)
      #expect(await cloud.traffic.entries.map(\.status) == [200, 200, 200, 503, 200, 200, 500])
    }
  }

  @Test func droppedAfterCommit() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      let application = try await caller.application()
      await cloud.traffic.inject(Fault(.api, .post, "/v7/release", .dropAfter))
      await #expect(throws: (any Error).self) { try await caller.release(application) }
      #expect(try await caller.get("release/$count").json == ["d": 1])
      await cloud.traffic.inject(Fault(.api, .post, "/v7/release", .replyAfter(status: 502)))
      #expect(try await caller.post("release", caller.releaseBody(application)).status == 502)
      #expect(try await caller.get("release/$count").json == ["d": 2])
      await cloud.traffic.inject(Fault(.api, .post, "/v7/release", .dropBefore))
      await #expect(throws: (any Error).self) { try await caller.release(application) }
      #expect(try await caller.get("release/$count").json == ["d": 2])
    }
  }

  @Test func truncatedBodies() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      _ = try await caller.application()
      let whole = try await caller.get("application")
      await cloud.traffic.inject(Fault(.api, .get, nil, .truncate(after: 20)))
      let failure = await #expect(throws: LoopbackClient.Incomplete.self) { try await caller.get("application") }
      #expect(failure?.received.map { String(buffer: $0) } == String(whole.text.prefix(20)))
    }
  }

  @Test func redirects() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      await cloud.traffic.inject(Fault(.api, nil, nil, .redirectToHTTPS))
      let answer = try await Caller(cloud: cloud).send(.get, "/v7/application?$top=1")
      #expect(answer.status == 301 && answer.headers[.location] == "https://127.0.0.1:\(cloud.port)/v7/application?$top=1")
    }
  }

  @Test func pauses() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      await cloud.traffic.inject(Fault(.api, .get, "/ping", .delay(.milliseconds(300))))
      let clock = ContinuousClock()
      let time = try await clock.measure { _ = try await Caller(cloud: cloud).send(.get, "/ping") }
      #expect(time >= .milliseconds(300))
    }
  }

  @Test func compression() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      let plain = try await caller.send(.get, "/v7/device_type?$expand=device_type_alias")
      #expect(plain.headers[.contentEncoding] == nil)
      let reply = try await LoopbackClient.send(
        port: cloud.port, .get, "/v7/device_type?$expand=device_type_alias", headers: [.acceptEncoding: "gzip, deflate"])
      #expect(reply.headers[.contentEncoding] == "gzip" && reply.body.readableBytes < plain.text.utf8.count)
      #expect(Gzip.inflated(reply.body, limit: 1 << 20).map { String(buffer: $0) } == plain.text)
      // Compressed requests are understood; a bomb is not unpacked.
      let body = try #require(Gzip.deflated(ByteBuffer(string: "{\"app_name\":\"gzip-app\",\"is_for__device_type\":1,\"organization\":1}")))
      let headers: HTTPFields = [.contentType: "application/json", .contentEncoding: "gzip"]
      #expect(try await caller.send(.post, "/v7/application", headers: headers, body: body).status == 201)
      let bomb = try #require(Gzip.deflated(ByteBuffer(repeating: 32, count: 4 << 20)))
      #expect(try await caller.send(.post, "/v7/application", headers: headers, body: bomb).status == 400)
    }
  }

  @Test func requestsAreCountedAndHeld() async throws {
    try await withTestCloud(hasRegistry: false) { cloud in
      let caller = Caller.developer(cloud)
      let (seen, tell) = AsyncStream.makeStream(of: Traffic.Entry.self)
      let engine = cloud.engine
      await cloud.traffic.afterRequest(2) { entry in
        // What the request did is there before its reply is.
        let count = await engine.edit { $0.database.rows("application").count }
        #expect(count == 1)
        tell.yield(entry)
      }
      async let waited: Void = cloud.traffic.waitForRequests(3)
      _ = try await caller.get("application")
      _ = try await caller.application()
      _ = try await caller.get("application")
      try await waited
      for await entry in seen {
        #expect(entry.number == 2 && entry.method == .post && entry.target == "/v7/application" && entry.status == 201)
        break
      }
      #expect(await cloud.traffic.count == 3)
      await #expect(throws: TestCloudError.timedOut(what: "request 4", seen: 3)) { try await cloud.traffic.waitForRequests(4, seconds: 0.1) }
    }
  }

  @Test func aPauseDoesNotOutliveTheCloud() async throws {
    let clock = ContinuousClock()
    let time = try await clock.measure {
      try await withTestCloud(hasRegistry: false) { cloud in
        await cloud.traffic.inject(Fault(.api, .get, "/ping", .delay(.seconds(600))))
        let port = cloud.port
        let call = Task { try await LoopbackClient.send(port: port, .get, "/ping") }
        while await cloud.traffic.count == 0 { await Task.yield() }
        call.cancel()
      }
    }
    #expect(time < .seconds(30))
  }
}
