/// Identifiers that nobody can guess.
enum Randomness {
  static func hex(bytes: Int) -> String {
    (0..<bytes).map { _ in
      let byte = UInt8.random(in: .min ... .max)
      return (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  /// 32 hexadecimal digits of a UUID of version 4.
  static func uuid() -> String {
    var digits = Array(hex(bytes: 16))
    digits[12] = "4"
    digits[16] = ["8", "9", "a", "b"].randomElement() ?? "8"
    return String(digits)
  }

  /// Letters and digits, without dots: what tells an API key from a session token.
  static func key() -> String {
    String((0..<32).map { _ in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".randomElement() ?? "a" })
  }
}
