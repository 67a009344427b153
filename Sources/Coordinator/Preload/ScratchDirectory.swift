import FoundationEssentials
import Glibc

/// A directory that is there while a closure runs.
enum ScratchDirectory {
  static func with<R>(in parent: String, _ body: (String) throws(PreloadError) -> R) throws(PreloadError) -> R {
    var template = Array("\(parent)/preload-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw .system(operation: "make a scratch directory in", path: parent, errno: errno) }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }
}
