import BlobStore
import BuildModel
import Crypto
import Foundation
import HTTPSupport
import TestFiles
import TestServers
import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(1)))
struct HTTPRuleTests {
  @Test func authorizationStaysWithItsOrigin() async throws {
    let elsewhere = try FaultServer { _, _ in Reply.send(200, [], "elsewhere") }
    let target = elsewhere.origin + "/there"
    let server = try FaultServer { request, _ in
      switch request.target {
      case "/away": Reply.send(307, [("Location", target)])
      case "/near": Reply.send(302, [("Location", "./here?x=1")])
      default: Reply.send(200, [], "here")
      }
    }
    defer {
      server.stop()
      elsewhere.stop()
    }
    let client = try HTTPClient(settings: Waits().settings())
    let token = HTTPAuthorization.bearer(Secret("a-token"))
    let away = try await client.send(HTTPRequest(.get, try HTTPURL(server.origin + "/away"), authorization: token))
    #expect(away.body == Array("elsewhere".utf8))
    #expect("\(away.url)" == target)
    #expect(elsewhere.requests.map { $0.field("Authorization") } == [nil])
    let near = try await client.send(HTTPRequest(.get, try HTTPURL(server.origin + "/near"), authorization: token))
    #expect(near.body == Array("here".utf8))
    #expect(server.requests.map { $0.field("Authorization") } == ["Bearer a-token", "Bearer a-token", "Bearer a-token"])
    #expect(server.requests.last?.target == "/here?x=1")
  }

  @Test(arguments: [(HTTPRequest.Method.post, 301), (.post, 302), (.post, 303), (.put, 302), (.delete, 301)])
  func noMethodBecomesAnother(method: HTTPRequest.Method, status: Int) async throws {
    let server = try FaultServer { _, _ in Reply.send(status, [("Location", "/b")]) }
    defer { server.stop() }
    let client = try HTTPClient(settings: Waits().settings())
    let error = await exchangeFailure { _ = try await client.send(HTTPRequest(method, try HTTPURL(server.origin + "/a"))) }
    #expect(
      error?.description
        == "\(method.rawValue) \(server.origin)/a: a redirect with \(status) would turn \(method.rawValue) into GET, which is not followed")
    #expect(server.requests.count == 1)
  }

  @Test func putFollowsWithItsBody() async throws {
    let server = try FaultServer { request, _ in request.target == "/a" ? Reply.send(307, [("Location", "/b")]) : Reply.send(201) }
    defer { server.stop() }
    let client = try HTTPClient(settings: Waits().settings())
    _ = try await client.send(HTTPRequest(.put, try HTTPURL(server.origin + "/a"), body: .bytes([1, 2, 3])))
    #expect(server.requests.map(\.body) == [[1, 2, 3], [1, 2, 3]])
  }

  /// What a login sends, or what was signed for one server, is not for another that the first one names.
  @Test(arguments: [(HTTPRequest.Method.post, 307), (.put, 307), (.patch, 308), (.delete, 307), (.post, 308)])
  func onlyWhatReadsGoesToAnotherOrigin(method: HTTPRequest.Method, status: Int) async throws {
    let elsewhere = try FaultServer { _, _ in Reply.send(200, [], "thanks") }
    let target = elsewhere.origin + "/collect"
    let server = try FaultServer { _, _ in Reply.send(status, [("Location", target)]) }
    defer {
      server.stop()
      elsewhere.stop()
    }
    let client = try HTTPClient(settings: Waits().settings())
    let body = Array(#"{"username":"builder","password":"s3cr3t"}"#.utf8)
    let request = HTTPRequest(
      method, try HTTPURL(server.origin + "/login_?key=s3cr3t"), authorization: .bearer(Secret("s3cr3t")),
      body: method == .delete ? .none : .bytes(body))
    let error = await exchangeFailure { _ = try await client.send(request) }
    #expect(
      error?.description
        == "\(method.rawValue) \(server.origin)/login_: a redirect from \(server.origin) to \(elsewhere.origin) would give a \(method.rawValue) with its body "
        + "to another server, which is not followed")
    #expect(elsewhere.requests.isEmpty)
  }

  /// Fields may hold a key just as well, or name what only the first server may know.
  @Test func fieldsStayWithTheirOrigin() async throws {
    let elsewhere = try FaultServer { _, _ in Reply.send(200, [], "elsewhere") }
    let target = elsewhere.origin + "/there"
    let server = try FaultServer { _, _ in Reply.send(302, [("Location", target)]) }
    defer {
      server.stop()
      elsewhere.stop()
    }
    let client = try HTTPClient(settings: Waits().settings())
    let fields: HTTPFields = ["Accept": "text/plain", "X-Api-Key": "s3cr3t", "Cookie": "s3cr3t", "Range": "bytes=3-"]
    _ = try await client.send(HTTPRequest(.get, try HTTPURL(server.origin + "/away?key=s3cr3t"), fields: fields, body: .bytes(Array("s3cr3t".utf8))))
    let seen = try #require(elsewhere.requests.first)
    #expect(seen.field("Accept") == "text/plain" && seen.field("Range") == "bytes=3-")
    #expect(seen.field("X-Api-Key") == nil && seen.field("Cookie") == nil && seen.body.isEmpty && seen.target == "/there")
  }

  @Test(arguments: ["/loop", "ftp://example.invalid/", "http://example.invalid/", "https://user:word@example.invalid/", ""])
  func badRedirectsAreRefused(location: String) async throws {
    let server = try FaultServer { _, _ in Reply.send(302, location.isEmpty ? [] : [("Location", location)]) }
    defer { server.stop() }
    let client = try HTTPClient(settings: Waits().settings())
    let error = await exchangeFailure { _ = try await client.send(HTTPRequest(.get, try HTTPURL(server.origin + "/loop"))) }
    #expect(error != nil && !text(error).contains("word"))
    #expect(server.requests.count == (location == "/loop" ? 6 : 1))
  }

  @Test func redirectToThisMachineIsRefusedFromOutside() throws {
    let request = HTTPRequest(.get, try HTTPURL("https://registry.example/v2/"))
    let response = HTTPResponse(status: 307, fields: ["Location": "http://127.0.0.1:2375/containers"], body: [], url: request.url)
    guard case .refuse = RedirectRule.verdict(on: response, to: request) else { throw Missing(what: "a refusal") }
  }

  @Test(arguments: [
    "http://127.0.0.1:2375/a?secret", "https://localhost/a", "http://LOCALHOST./a", "http://a.localhost/", "http://127.9.9.9/", "http://2130706433/",
    "http://0x7f.1/", "http://127.0.0.1./", "http://0.0.0.0/", "http://[::1]:5000/", "http://[::]/", "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
  ]) func onlyThisMachineNamesThisMachine(address: String) throws {
    let here = try HTTPURL("http://127.0.0.1:5000/v2/")
    let there = try HTTPURL("https://registry.example/v2/")
    let target = try HTTPURL(address)
    #expect(try !target.mayBeNamed(by: there) && target.mayBeNamed(by: here) && here.naming(address) == target)
    let error = #expect(throws: HTTPError.self) { try there.naming(address) }
    #expect(text(error).contains("given by https://registry.example:443, and \(target.origin.host) is this machine itself"))
    #expect(!text(error).contains("secret"))
  }

  @Test(arguments: [
    "/v2/x", "https://storage.example/x?sig=1", "http://10.0.0.1/", "http://127.0.0.1.example/", "http://localhost.example/", "http://[2001:db8::1]/",
    "http://1.127.0.0/", "http://[::ffff:10.0.0.1]/",
  ]) func othersMayBeNamedByAnybody(address: String) throws {
    let there = try HTTPURL("https://registry.example/v2/")
    #expect(try there.naming(address) == there.resolving(address))
    #expect(try HTTPURL("http://localhost/").naming(address).origin.host.isEmpty == false)
  }

  @Test func plainHTTPNeedsLoopbackOrPermission() async throws {
    let client = try HTTPClient(settings: Waits().settings())
    let error = await exchangeFailure { _ = try await client.send(HTTPRequest(.get, try HTTPURL("http://registry.example/v2/"))) }
    #expect(
      error?.description
        == "GET http://registry.example/v2/ cannot be sent: plain http to 'registry.example' is not allowed; use https, or allow this host")
  }

  @Test func fieldsCannotSmuggle() async throws {
    let client = try HTTPClient(settings: Waits().settings())
    for (name, value) in [("X-A", "b\r\nX-C: d"), ("X A", "b"), ("", "b"), ("X-A", "b\0")] {
      let error = await exchangeFailure { _ = try await client.send(HTTPRequest(.get, try HTTPURL("http://127.0.0.1:1/"), fields: [name: value])) }
      guard case .unsendable? = error?.exchange else { throw Missing(what: "a refusal of '\(name)': \(String(describing: error))") }
    }
    for text in ["http://a b/", "gopher://a/", "http://", "https://me:pw@host/", "http://h:0/", "http://h:99999/", "/path", "http://h/\nx"] {
      #expect(throws: HTTPError.self, "\(text)") { _ = try HTTPURL(text) }
    }
  }

  @Test func urlsAreTakenApartAndPutTogether() throws {
    let url = try HTTPURL("HTTPS://Example.COM:443/a/../b?x=1&y#frag")
    #expect(url.text == "https://example.com/b?x=1&y")
    #expect(url.adding("digest", "sha256:a+b/c").text == "https://example.com/b?x=1&y&digest=sha256%3Aa%2Bb%2Fc")
    #expect("\(url)" == "https://example.com/b")
    #expect(try url.resolving("/v2/?_state=s").text == "https://example.com/v2/?_state=s")
    #expect(try url.resolving("//other.example/x").origin.host == "other.example")
    #expect(
      try HTTPURL("http://[::1]:5000/").isLoopback && HTTPURL("http://127.1.2.3/").isLoopback && !HTTPURL("http://127.0.0.1.example/").isLoopback)
  }

  @Test func secretsAreSeenNowhere() async throws {
    let secret = "tok-3n-of-mine"
    // A server that repeats what it was given, in its body and in a challenge.
    let server = try FaultServer { request, _ in Reply.send(403, [], "{\"message\":\"bad \(request.field("Authorization") ?? "")\\u0007\\n\"}") }
    defer { server.stop() }
    let client = try HTTPClient(settings: Waits().settings())
    let url = try HTTPURL(server.origin + "/a?apikey=\(secret)")
    for authorization in [HTTPAuthorization.bearer(Secret(secret)), .basic(user: "me", password: Secret(secret))] {
      let request = HTTPRequest(.get, url, authorization: authorization)
      let error = try #require(await exchangeFailure { _ = try await client.send(request) })
      let packed = Data("me:\(secret)".utf8).base64EncodedString()
      var texts = [text(error), "\(authorization)", String(reflecting: authorization)]
      dump(authorization, to: &texts[1])
      dump(error, to: &texts[0])
      for text in texts { #expect(!text.contains(secret) && !text.contains(packed), "\(text)") }
      #expect(error.status == 403)
      #expect(text(error).contains("bad \(authorization.fieldValue!.hasPrefix("Bearer") ? "Bearer" : "Basic") <redacted>"))
    }
  }

  @Test func serversAreUnderstood() {
    let none = Redaction([])
    #expect(ServerMessage(Array("\"\\\"slug\\\" must be unique.\"".utf8), redaction: none).text == "\"slug\" must be unique.")
    let list = ServerMessage(Array(#"{"errors":[{"code":"DENIED","message":"no"},{"code":"X"}]}"#.utf8), redaction: none)
    #expect(list.codes == ["DENIED", "X"] && list.text == "DENIED: no; X")
    #expect(ServerMessage(Array(#"{"details":"incorrect username or password"}"#.utf8), redaction: none).text == "incorrect username or password")
    #expect(ServerMessage(Array("<h1>502\u{1B}[31m</h1>\r\n  x".utf8), redaction: none).text == "<h1>502 [31m</h1> x")
    #expect(ServerMessage([UInt8](repeating: UInt8(ascii: "x"), count: 9000), redaction: none).text.count == 500)
  }

  /// The signature is recomputed from what arrived, as AWS describes it (Signature Version 4).
  @Test(arguments: ["/bucket/a%2Bb/c.txt", "/bucket/plain?list-type=2&prefix=x"]) func awsSignatureIsRight(target: String) async throws {
    let server = try FaultServer { _, _ in Reply.send(200) }
    defer { server.stop() }
    let client = try HTTPClient(settings: Waits().settings())
    let content = noise(100_000)
    let signature = AWSSignature(
      accessKey: "AKID", secretKey: Secret("the-secret-key"), sessionToken: Secret("the-session"), region: "eu-west-1", service: "s3",
      payload: .digest(blob(content).digest))
    _ = try await client.send(
      HTTPRequest(
        .put, try HTTPURL(server.origin + target), fields: ["Content-Type": "text/plain"], authorization: .awsSignature(signature),
        body: .bytes(content)))
    let request = try #require(server.requests.first)
    let authorization = try #require(request.field("Authorization"))
    let date = try #require(request.field("X-Amz-Date"))
    let signed = try #require(authorization.firstMatch(of: /SignedHeaders=([^,]*), Signature=([0-9a-f]{64})/))
    let day = String(date.prefix(8))
    #expect(authorization.hasPrefix("AWS4-HMAC-SHA256 Credential=AKID/\(day)/eu-west-1/s3/aws4_request, "))
    for name in ["host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"] {
      #expect(signed.1.split(separator: ";").contains(Substring(name)))
    }
    let parts = request.target.split(separator: "?", maxSplits: 1)
    let headers = signed.1.split(separator: ";").map { "\($0):\(request.field(String($0)) ?? "")\n" }.joined()
    let canonical = [
      "PUT", String(parts[0]), parts.count > 1 ? String(parts[1]) : "", headers, String(signed.1), blob(content).digest.hex,
    ].joined(separator: "\n")
    let text = "AWS4-HMAC-SHA256\n\(date)\n\(day)/eu-west-1/s3/aws4_request\n\(blob(Array(canonical.utf8)).digest.hex)"
    func mac(_ key: SymmetricKey, _ text: String) -> SymmetricKey {
      SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key))
    }
    let key = [day, "eu-west-1", "s3", "aws4_request"].reduce(SymmetricKey(data: Data("AWS4the-secret-key".utf8))) { mac($0, $1) }
    let expected = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key).map { String(format: "%02x", $0) }.joined()
    #expect(String(signed.2) == expected)
    #expect(request.field("Authorization")?.contains("the-secret-key") == false)
    #expect(server.violations == [])
  }
}
