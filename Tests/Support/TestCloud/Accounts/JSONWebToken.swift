import Crypto
import FoundationEssentials

/// A signed token in compact form: header, claims, signature.
enum JSONWebToken {
  static func base64URL(_ bytes: some Sequence<UInt8>) -> String {
    String(Data(bytes).base64EncodedString().filter { $0 != "=" }.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
  }

  static func bytes(base64URL text: some StringProtocol) -> Data? {
    let padded = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
    return Data(base64Encoded: padded + String(repeating: "=", count: (4 - padded.count % 4) % 4))
  }

  /// Signs with a secret, HS256.
  static func signed(_ claims: JSONValue, secret: SymmetricKey) -> String {
    let content = base64URL(JSONValue.object(["alg": "HS256", "typ": "JWT"]).text.utf8) + "." + base64URL(claims.text.utf8)
    return content + "." + base64URL(HMAC<SHA256>.authenticationCode(for: Data(content.utf8), using: secret))
  }

  /// Signs with a private key, ES256; `header` adds to `alg` and `typ`.
  static func signed(_ claims: JSONValue, key: P256.Signing.PrivateKey, header: [String: JSONValue]) throws -> String {
    let head = header.merging(["alg": "ES256", "typ": "JWT"]) { _, fixed in fixed }
    let content = base64URL(JSONValue.object(head).text.utf8) + "." + base64URL(claims.text.utf8)
    return content + "." + base64URL(try key.signature(for: Data(content.utf8)).rawRepresentation)
  }

  /// The claims, whoever signed them; nil for what is no token.
  static func claims(_ token: String) -> JSONValue? {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let bytes = bytes(base64URL: parts[1]) else { return nil }
    return JSONValue(parsing: bytes)
  }

  /// The claims of a token that this secret signed.
  static func verified(_ token: String, secret: SymmetricKey) -> JSONValue? {
    guard let dot = token.lastIndex(of: "."), let signature = bytes(base64URL: token[token.index(after: dot)...]),
      HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: Data(token[..<dot].utf8), using: secret)
    else { return nil }
    return claims(token)
  }
}
