/// Who wants more of a layer than its tree. Calls come in the tar's order.
package protocol LayerVisitor: AnyObject {
  /// Bytes of the tar that are not content.
  func take(raw bytes: UnsafeRawBufferPointer)
  /// The next bytes of the member that ``end(_:)`` will be called with.
  func take(content bytes: UnsafeRawBufferPointer) throws
  /// The member has ended. Regular files come in the order of the `content` of ``LayerTree/Kind/file(size:content:)``.
  func end(_ member: TarMember) throws
}

extension LayerTree {
  /// What was read.
  package struct Count: Sendable, Hashable {
    /// Members of the tar.
    package var entries = 0
    /// Bytes of the tar.
    package var bytes: Int64 = 0
    /// Bytes of names, targets and attributes.
    var metadata = 0
  }

  /// Reads a layer to its end; its digests have been found right when this returns. Directories that the tar implies but does not list get `time`.
  ///
  /// Throws ``OCIImageError``, and what the visitor throws.
  package static func read(
    _ layer: StoredImage.Layer, limits: TarReader.Limits = TarReader.Limits(), time: Int64, visitor: some LayerVisitor
  ) throws -> (tree: LayerTree, count: Count) {
    let bytes = try LayerReader(layer, limit: limits.bytes)
    let what = "layer \(layer.label)"
    var reader = TarReader(bytes, what: what, limits: limits) { visitor.take(raw: $0) }
    var builder = LayerTreeBuilder(time: time)
    while let member = try reader.next() {
      while let part = try reader.content() { try visitor.take(content: part) }
      do { try builder.add(member) } catch { throw OCIImageError.malformed(what: what, reason: error.reason) }
      try visitor.end(member)
    }
    do { try builder.addWhiteouts() } catch { throw OCIImageError.malformed(what: what, reason: error.reason) }
    return (builder.tree, Count(entries: reader.count, bytes: bytes.count, metadata: reader.metadata))
  }
}
