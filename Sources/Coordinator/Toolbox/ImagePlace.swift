import BuildModel
import Glibc
import OCIImage

/// Where a person said that an image is: `LAYOUT` or `LAYOUT:NAME` for a directory, `ARCHIVE` or `ARCHIVE:TAG` for a file.
struct ImagePlace {
  /// As it was given.
  let text: String
  let path: String
  let name: String?
  let isDirectory: Bool

  /// A path may hold colons: the first place where one ends something that is there counts.
  init(_ text: String) throws(ToolboxError) {
    let ends = [text.endIndex] + text.indices.filter { text[$0] == ":" && $0 != text.startIndex }
    for end in ends {
      let path = String(text[..<end])
      var status = stat()
      guard stat(path, &status) == 0 else { continue }
      self.text = text
      self.path = path
      name = end == text.endIndex ? nil : String(text[text.index(after: end)...])
      isDirectory = status.st_mode & S_IFMT == S_IFDIR
      return
    }
    throw .usage("\(Printable.quoted(text)) is neither an OCI image layout nor a docker-archive: nothing is there")
  }

  /// All images at the place. Their manifests and configurations were checked against their digests, their layers are not read.
  func images() throws(OCIImageError) -> StoredImages {
    var images = isDirectory ? try ImageLayoutReader.images(in: path) : try DockerArchiveReader.images(in: path)
    images.place = text
    return images
  }
}
