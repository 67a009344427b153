/// Canonical JSON as people read it: the same bytes as ``CanonicalJSON/readable(_:)`` makes, without making values of the document first.
struct ReadableForm {
  private(set) var text: [UInt8] = []
  private var depth: Int

  /// `depth`: how many lists and objects the document lies in.
  init(depth: Int, reserving capacity: Int) {
    self.depth = depth
    text.reserveCapacity(capacity)
  }

  /// Appends a document in the form of ``CanonicalJSON/encode(_:)``: without blanks between its tokens.
  mutating func append(canonical bytes: [UInt8]) {
    bytes.withUnsafeBufferPointer { append($0) }
  }

  private mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        let end = Self.endOfText(bytes, from: index)
        text.append(contentsOf: bytes[index..<end])
        index = end
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        text.append(bytes[index])
        depth += 1
        // An empty list or object has an empty line.
        let isEmpty = index + 1 < bytes.count && [UInt8(ascii: "}"), UInt8(ascii: "]")].contains(bytes[index + 1])
        if isEmpty { text.append(UInt8(ascii: "\n")) } else { newLine() }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        newLine()
        text.append(bytes[index])
      case UInt8(ascii: ","):
        text.append(UInt8(ascii: ","))
        newLine()
      case UInt8(ascii: ":"): text.append(contentsOf: [UInt8(ascii: " "), UInt8(ascii: ":"), UInt8(ascii: " ")])
      default: text.append(bytes[index])
      }
      index += 1
    }
  }

  private mutating func newLine() {
    text.append(UInt8(ascii: "\n"))
    for _ in 0..<depth { text.append(contentsOf: [UInt8(ascii: " "), UInt8(ascii: " ")]) }
  }

  /// The index after the closing quote.
  private static func endOfText(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var index = start + 1
    while index < bytes.count, bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
    return min(index + 1, bytes.count)
  }
}

extension CanonicalJSON {
  /// What ``readable(_:)`` gives for the value of a canonical document, but without a newline at the end and as deep as `depth` lists and objects.
  package static func readable(canonical bytes: [UInt8], depth: Int) -> [UInt8] {
    var form = ReadableForm(depth: depth, reserving: bytes.count + bytes.count / 4)
    form.append(canonical: bytes)
    return form.text
  }
}
