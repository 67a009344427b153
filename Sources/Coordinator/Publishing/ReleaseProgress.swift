import Balena
import BuildModel

/// One thing that is missing in a draft.
package enum ReleaseAction: Hashable, Sendable, CustomStringConvertible {
  case addImage(service: String)
  /// Another coordinator (or an earlier run) made one image too many, or one that does not belong there.
  case removeImage(RowID<ReleaseImageTable>, service: String)
  case addLabel(service: String, RowID<ReleaseImageTable>, name: String, value: String)
  case push(service: String, RowID<ImageTable>, location: String)
  case putAsset(Publication.Asset)
  case markDraftOnly
  case markVersion
  case markComplete

  package var description: String {
    switch self {
    case .addImage(let service): "image of \(service)"
    case .removeImage(let id, let service): "surplus image \(id) of \(service)"
    case .addLabel(let service, _, let name, _): "label \(name) of \(service)"
    case .push(let service, _, let location): "push of \(service) to \(location)"
    case .putAsset(let asset): "asset \(asset.key)"
    case .markDraftOnly: "mark of a draft that is no release"
    case .markVersion: "mark of the version"
    case .markComplete: "status"
    }
  }
}

extension ReleaseDescription {
  /// What is to be done next, from what the cloud has; empty when the release is complete. Everything in one answer may be done at once, in any order.
  ///
  /// Of several images of one service the one with the lowest id counts, whoever made it: so coordinators that work on one release at the same time
  /// agree without speaking to each other.
  package func remaining(in release: CloudRelease, assets: [CloudAsset]) throws(PublishingError) -> [ReleaseAction] {
    var images: [String: CloudRelease.Image] = [:]
    var rows: [ReleaseAction] = []
    for image in release.images {
      if services[image.service] != nil, images[image.service] == nil {
        images[image.service] = image
      } else {
        rows.append(.removeImage(image.releaseImage, service: image.service))
      }
    }
    for name in services.keys.sorted() where images[name] == nil { rows.append(.addImage(service: name)) }
    if rows.isEmpty {
      for (name, service) in services.sorted(by: { $0.key < $1.key }) {
        guard let image = images[name] else { continue }
        for (label, value) in service.labels.sorted(by: { $0.key < $1.key }) {
          if let found = image.labels[label] {
            guard found == value else {
              throw .unexpected(
                what: "label \(label) of \(name) in release \(release.id) of \(application)", found: "'\(found)'", expected: "'\(value)'")
            }
          } else {
            rows.append(.addLabel(service: name, image.releaseImage, name: label, value: value))
          }
        }
        if image.status != .success || image.contentHash != service.image.manifest.digest {
          rows.append(.push(service: name, image.id, location: image.location))
        }
      }
      let sizes = Dictionary(assets.map { ($0.key, $0.file?.size) }, uniquingKeysWith: { first, _ in first })
      for asset in self.assets where sizes[asset.key.text] != .some(.some(asset.blob.size)) { rows.append(.putAsset(asset)) }
    }
    if isDraftOnly, release.tags[ReleaseLookup.draftOnlyTag] == nil { rows.append(.markDraftOnly) }
    if !release.isFinal, release.name == nil, release.tags[ReleaseLookup.draftVersionTag] == nil {
      rows.append(.markVersion)
    }
    if rows.isEmpty, release.status != .success { rows.append(.markComplete) }
    if let first = rows.first, release.isFinal {
      throw .unexpected(
        what: "release \(release.id) of \(application), which is final", found: "incomplete: \(first)",
        expected: "complete; a final release is not changed")
    }
    return rows
  }
}
