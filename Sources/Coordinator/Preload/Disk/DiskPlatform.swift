import BuildModel
import CanonicalJSON

/// The platform that a disk image is made for, as far as it tells.
package struct DiskPlatform: Sendable, Hashable {
  package let platform: Platform
  /// Where it was found, for messages.
  package let source: String

  package init(platform: Platform, source: String) {
    self.platform = platform
    self.source = source
  }

  private static let bootLabels = ["resin-boot", "balena-boot", "flash-boot"]
  private static let rootLabels = ["resin-rootA", "balena-rootA", "flash-rootA"]
  private static let documentLimit: Int64 = 1 << 20

  /// What the device type document in the boot partition says, else for which processor the programs in the root file system are. nil where neither
  /// can be read: old and foreign images have no such document. Blocks the calling thread.
  package static func read(from image: String) throws(PreloadError) -> DiskPlatform? {
    let file = try DiskFile(image, .read)
    let labels = try PartitionTable(readingFrom: file).labels(in: file)
    for (partition, label) in labels where bootLabels.contains(label) {
      if let found = document(partition, of: file).flatMap({ DiskPlatform(deviceType: $0) }) { return found }
    }
    for (partition, label) in labels where rootLabels.contains(label) {
      if let found = fileSystem(partition, of: file).flatMap({ DiskPlatform(programsIn: $0, label: label) }) { return found }
    }
    return nil
  }

  /// A file system that cannot be read says nothing, which is no reason to leave the image alone.
  private static func document(_ partition: Partition, of file: borrowing DiskFile) -> [UInt8]? {
    do {
      if let fat = try FATFileSystem(readingFrom: file, at: partition.start, size: partition.size) {
        return try fat.contents("device-type.json", limit: documentLimit, of: file)
      }
      return try fileSystem(partition, of: file)?.contents("device-type.json", limit: Int(documentLimit))
    } catch { return nil }
  }

  private static func fileSystem(_ partition: Partition, of file: borrowing DiskFile) -> Ext4FileSystem? {
    do {
      guard let superblock = try Ext4Superblock(readingFrom: file, at: partition.start, size: partition.size),
        superblock.reasonNotWritable(within: partition.size) == nil
      else { return nil }
      return try Ext4FileSystem(file.path, writable: false, offset: partition.start)
    } catch { return nil }
  }

  /// nil when it is no such document, or of an unknown architecture.
  private init?(deviceType bytes: [UInt8]) {
    struct Document: Decodable {
      var slug: String?
      var arch: String
    }
    guard let document = try? CanonicalJSON.decode(Document.self, from: bytes), let architecture = Architecture(rawValue: document.arch) else {
      return nil
    }
    platform = architecture.platform
    source = "device-type.json\(document.slug.map { " of \(Printable.text(String($0.prefix(100))))" } ?? "")"
  }

  /// Looks for a program where a root file system has them, or a hostapp in the container store beside it.
  private init?(programsIn fileSystem: Ext4FileSystem, label: String) {
    func names(_ path: String, _ limit: Int) -> ArraySlice<String> { ((try? fileSystem.names(in: path)) ?? []).prefix(limit) }
    let stores = ["balena/overlay2", "docker/overlay2"].flatMap { store in names(store, 50).map { "\(store)/\($0)/diff/" } }
    for root in [""] + stores {
      for directory in ["bin", "sbin", "usr/bin", "usr/sbin", "lib/systemd", "usr/lib/systemd"].map({ root + $0 }) {
        for name in names(directory, 100) {
          guard let header = try? fileSystem.head(of: "\(directory)/\(name)", 20), let machine = ELFMachine(header: header),
            let platform = machine.platform
          else { continue }
          self.platform = platform
          source = "the programs in \(label)"
          return
        }
      }
    }
    return nil
  }
}
