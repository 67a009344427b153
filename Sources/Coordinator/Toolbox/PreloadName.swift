import BuildModel
import OCIImage
import Preload

/// What a preloaded image is called in the store of a device.
struct PreloadName {
  let texts: [String]
  /// Why the texts are not made of the image's own name; empty where they are.
  let reason: String
  var isMadeUp: Bool { !reason.isEmpty }

  /// A layout's `NAME` becomes `local/NAME:latest`, where that can be a name; one that is a whole reference stays, as do the tags of a docker-archive.
  static func names(of image: StoredImage) -> PreloadName {
    let candidates = image.manifest == nil ? image.names : image.names.prefix(1).flatMap { ["local/\($0):latest", $0] }
    let valid = candidates.filter { PreloadImage.isName($0) }
    if let first = valid.first { return PreloadName(texts: image.manifest == nil ? valid : [first], reason: "") }
    let short = (image.manifest?.digest ?? image.id).short
    let reason = image.names.first.map { "\(Printable.quoted($0)) cannot be the name of a repository" } ?? "image sha256:\(short) has no name"
    return PreloadName(texts: ["local/image-\(short):latest"], reason: reason)
  }
}
