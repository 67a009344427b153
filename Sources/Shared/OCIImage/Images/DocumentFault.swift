import BuildModel
import CanonicalJSON

/// What is wrong with a manifest, an index or a configuration. Whoever reads it adds which one it was.
package struct DocumentFault: Error, Sendable {
  /// A clause that goes after "<the document> is malformed: ".
  package let reason: String
  init(_ reason: String) { self.reason = reason }

  /// Reads a document of at most ``DocumentSize/limit`` bytes.
  static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws(DocumentFault) -> Value {
    do { return try CanonicalJSON.decode(type, from: bytes, limit: DocumentSize.limit) } catch { throw DocumentFault(error.description) }
  }
}
