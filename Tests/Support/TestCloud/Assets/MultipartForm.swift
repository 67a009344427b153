import Glibc
import NIOCore

/// A `multipart/form-data` body (RFC 7578): texts and files by the name of their part.
struct MultipartForm {
  struct File: Hashable {
    var filename: String
    var contentType: String
    var bytes: ByteBuffer
  }

  private(set) var fields: [String: String] = [:]
  private(set) var files: [String: File] = [:]

  init(_ body: ByteBuffer, contentType: String) throws(CloudRefusal) {
    guard let boundary = Self.parameters(contentType)["boundary"], !boundary.isEmpty, boundary.utf8.count <= 70 else {
      throw .invalid("multipart: no boundary.")
    }
    let delimiter = Array("\r\n--\(boundary)".utf8)
    // The first delimiter has no line end before it.
    var rest = body
    guard rest.readBytes(length: delimiter.count - 2).map({ $0 == Array(delimiter.dropFirst(2)) }) == true else {
      throw .invalid("multipart: the body does not start with its boundary.")
    }
    while true {
      guard let ending = rest.readBytes(length: 2) else { throw .invalid("multipart: the body ends early.") }
      if ending == Array("--".utf8) { return }
      guard ending == Array("\r\n".utf8) else { throw .invalid("multipart: a line end is missing after a boundary.") }
      guard let length = Self.offset(of: delimiter, in: rest), let part = rest.readSlice(length: length) else {
        throw .invalid("multipart: the body ends early.")
      }
      rest.moveReaderIndex(forwardBy: delimiter.count)
      try add(part)
    }
  }

  private mutating func add(_ part: ByteBuffer) throws(CloudRefusal) {
    var part = part
    let gap = Array("\r\n\r\n".utf8)
    guard let length = Self.offset(of: gap, in: part), length <= 8192, let head = part.readString(length: length) else {
      throw .invalid("multipart: a part has no header.")
    }
    part.moveReaderIndex(forwardBy: gap.count)
    var headers: [String: String] = [:]
    for line in head.split(separator: "\r\n") {
      guard let colon = line.firstIndex(of: ":") else { throw .invalid("multipart: a header line has no colon.") }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].drop { $0 == " " }.description
    }
    let disposition = Self.parameters(headers["content-disposition"] ?? "")
    guard let name = disposition["name"] else { throw .invalid("multipart: a part has no name.") }
    if let filename = disposition["filename"] {
      files[name] = File(filename: filename, contentType: headers["content-type"] ?? "application/octet-stream", bytes: part.slice())
    } else {
      fields[name] = String(buffer: part)
    }
  }

  private static func offset(of needle: [UInt8], in buffer: ByteBuffer) -> Int? {
    buffer.withUnsafeReadableBytes { bytes in
      guard let start = bytes.baseAddress else { return nil }
      var offset = 0
      while offset + needle.count <= bytes.count {
        guard let found = memchr(start + offset, Int32(needle[0]), bytes.count - offset - needle.count + 1) else { return nil }
        offset = UnsafeRawPointer(found) - start
        if memcmp(found, needle, needle.count) == 0 { return offset }
        offset += 1
      }
      return nil
    }
  }

  /// `name=value` and `name="value"` after the semicolons of a header.
  static func parameters(_ header: String) -> [String: String] {
    var found: [String: String] = [:]
    var rest = header.drop { $0 != ";" }.dropFirst()
    while !rest.isEmpty {
      let name = rest.prefix { $0 != "=" && $0 != ";" }
      rest = rest.dropFirst(name.count)
      guard rest.first == "=" else {
        rest = rest.dropFirst()
        continue
      }
      rest = rest.dropFirst()
      var value = ""
      if rest.first == "\"" {
        rest = rest.dropFirst()
        while let character = rest.first, character != "\"" {
          rest = rest.dropFirst()
          if character == "\\", let escaped = rest.first {
            value.append(escaped)
            rest = rest.dropFirst()
          } else {
            value.append(character)
          }
        }
        rest = rest.drop { $0 != ";" }.dropFirst()
      } else {
        value = String(rest.prefix { $0 != ";" })
        rest = rest.dropFirst(value.count).dropFirst()
      }
      found[name.filter { $0 != " " }.lowercased()] = value
    }
    return found
  }
}
