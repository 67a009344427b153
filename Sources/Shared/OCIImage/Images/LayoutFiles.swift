import Glibc

/// The files of an image layout: in a directory, or the members of a tar (an OCI archive).
enum LayoutFiles {
  case directory(String)
  case archive(TarIndex)

  static let index = "index.json"
  static let version = "oci-layout"

  /// What a file is called in messages.
  func label(_ name: String) -> String {
    switch self {
    case .directory(let path): "\(path)/\(name)"
    case .archive(let index): "\(index.path): member \(name)"
    }
  }

  func has(_ name: String) -> Bool {
    switch self {
    case .directory(let path):
      var status = stat()
      return lstat("\(path)/\(name)", &status) == 0
    case .archive(let index): return index.has(name)
    }
  }

  /// A small file whole.
  func document(_ name: String, limit: Int = DocumentSize.limit) throws(OCIImageError) -> [UInt8] {
    switch self {
    case .directory(let path): try InputFile(path: "\(path)/\(name)").whole(limit: limit)
    case .archive(let index): try index.document(name, limit: limit)
    }
  }

  /// Where a large file is.
  func part(_ name: String) throws(OCIImageError) -> LayerPart {
    switch self {
    case .directory(let path):
      let file = try InputFile(path: "\(path)/\(name)")
      return LayerPart(digest: nil, path: file.path, offset: 0, size: file.size, followsLinks: false)
    case .archive(let index):
      let (offset, size) = try index.file(name)
      return LayerPart(digest: nil, path: index.path, offset: offset, size: size, followsLinks: true)
    }
  }
}
