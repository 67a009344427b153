import Foundation
import Glibc
import TestPeers

/// The data partition of a disk image, mounted through a loop device while the closure runs. Needs root.
func withMountedData<R>(_ image: String, at offset: Int64, size: Int64, scratch: String, _ body: (String) throws -> R) throws -> R {
  let place = scratch + "/mount-\(UUID().uuidString.prefix(8))"
  try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
  try Tool.run(["mount", "-o", "loop,offset=\(offset),sizelimit=\(size)", image, place])
  defer {
    _ = try? Tool.run(["umount", place])
    rmdir(place)
  }
  return try body(place)
}

let isRoot = geteuid() == 0
