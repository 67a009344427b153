import BuildModel
import Foundation
import OCIImage
import TestFiles
import TestPeers
import Testing

import struct Crypto.SHA256

@testable import Preload

/// Layers written by Python's tarfile, whole ones and hostile ones.
@Suite struct UnpackedLayerTests {
  private static func digest(_ data: Data) -> Digest? { Digest(bytes: SHA256.hash(data: data)) }

  /// Reads a tar that a Python expression writes with `t`, a tarfile, and `f(name, type, **fields)`.
  private func read(_ code: String, tail: [UInt8] = [], edit: (inout Data) -> Void = { _ in }) throws -> Result<UnpackedLayer, PreloadError> {
    try withScratchDirectory { scratch in
      let program = """
        import io, sys, tarfile
        t = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT)
        def f(name, type=tarfile.REGTYPE, data=b"", link="", pax={}, **fields):
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname, info.pax_headers = type, len(data), link, pax
            for key, value in fields.items(): setattr(info, key, value)
            t.addfile(info, io.BytesIO(data))
        \(code)
        t.close()
        """
      try Tool.run(["python3", "-c", program, scratch + "/layer"])
      var data = try Data(contentsOf: URL(fileURLWithPath: scratch + "/layer"))
      edit(&data)
      data.append(contentsOf: tail)
      try data.write(to: URL(fileURLWithPath: scratch + "/layer"))
      let digest = try #require(Self.digest(data))
      return Result { () throws(PreloadError) in
        let blob = BlobDescriptor(digest: digest, size: Int64(data.count))
        return try UnpackedLayer.read(
          StoredImage.Layer(blob, at: scratch + "/layer", diffID: digest), spool: scratch + "/spool", time: testTime)
      }
    }
  }

  @Test(arguments: [
    ("f('../etc/passwd')", "leads out"),
    ("f('a'); f('./a')", "names './a' twice"),
    ("f('a', tarfile.DIRTYPE); f('a')", "twice"),
    ("f('a'); f('a/b')", "not a directory"),
    ("f('a', tarfile.SYMTYPE, link='/etc'); f('a/b')", "not a directory"),
    ("f('a', tarfile.LNKTYPE, link='b'); f('b')", "hard link to 'b', which the layer does not have before it"),
    ("f('a', tarfile.DIRTYPE); f('b', tarfile.LNKTYPE, link='a')", "hard link to a directory"),
    ("f('.wh.')", "whiteout without a name"),
    ("f('.wh...')", "whiteout without a name"),
    ("f('a', pax={'GNU.sparse.major': '1'})", "sparse"),
    ("f('a', type=b'S')", "sparse"),
    ("f('a', type=b'Z')", "unknown type"),
    ("f('a', uid=-5)", "impossible owner"),
    ("f('a', tarfile.CHRTYPE, devmajor=70000)", "impossible device"),
    ("f('a', pax={'mtime': '-9223372036854775808.5'})", "not a time"),
    ("f('x' * 256)", "component of 256 bytes"),
    ("f('/'.join('d' for _ in range(600)))", "600 levels"),
  ])
  func hostileMembersAreRefused(code: String, reason: String) throws {
    switch try read(code) {
    case .success: Issue.record("\(code) was taken")
    case .failure(let error): #expect(error.description.contains(reason), "\(error)")
    }
  }

  @Test func damagedArchivesAreRefused() throws {
    func reason(_ edit: (inout Data) -> Void) throws -> String {
      switch try read("f('a', data=b'x' * 2000); f('b')", edit: edit) {
      case .success: "none"
      case .failure(let error): error.description
      }
    }
    #expect(try reason { $0[10] ^= 1 }.contains("a wrong checksum"))
    #expect(try reason { $0 = $0.prefix(1500) }.contains("middle of a file"))
    #expect(try reason { $0 = $0.prefix(512 + 2048 + 100) }.contains("middle of a header"))
    #expect(try reason { $0[512 + 2048 + 512 + 512] = 1 }.contains("goes on after a block of zeros"))
    // An archive without its last blocks, which readers accept.
    #expect(try reason { $0 = $0.prefix(512 + 2048 + 512) } == "none")
  }

  @Test func whiteoutsAndAttributesBecomeWhatOverlayExpects() throws {
    let layer = try read("f('d/.wh.gone'); f('d/.wh..wh..opq'); f('d/.wh..wh.plnk', tarfile.DIRTYPE); f('n', mtime=1.75, mode=0o4711)").get()
    let nodes = layer.tree.nodes
    #expect(nodes.map { String(decoding: $0.name, as: UTF8.self) } == ["", "d", "n", "gone"])
    #expect(nodes[3].kind == .characterDevice(major: 0, minor: 0))
    #expect(nodes[3].attributes.mode == 0)
    #expect(nodes[1].xattrs.map(\.name) == ["trusted.overlay.opaque"])
    #expect(nodes[2].attributes == LayerTree.Attributes(mode: 0o4711, mtime: 1, nanoseconds: 750_000_000))
  }

  /// A whiteout is for what lower layers have (image-spec, layer.md): what its own layer has at the place stays.
  @Test(arguments: ["f('.wh.d'); f('d', tarfile.DIRTYPE); f('d/new')", "f('d/new'); f('.wh.d')"])
  func whatIsMadeAnewIsThere(code: String) throws {
    let nodes = try read(code).get().tree.nodes
    #expect(nodes.map { String(decoding: $0.name, as: UTF8.self) } == ["", "d", "new"])
    #expect(nodes[1].isOpaque && nodes[1].kind == .directory)
  }

  /// tar-split, put together again by a reader of its own: headers from it, contents in the order of the archive.
  @Test func tarSplitGivesTheArchiveBack() throws {
    try withScratchDirectory { scratch in
      let images = try Fixture.images(scratch + "/oci", mebibytes: 1)
      for (index, layer) in images.flatMap(\.layers).enumerated() {
        let read = try UnpackedLayer.read(layer, spool: "\(scratch)/spool-\(index)", time: testTime)
        try Data(read.tarSplit).write(to: URL(fileURLWithPath: scratch + "/split.gz"))
        let program = """
          import base64, gzip, hashlib, json, sys, zlib
          blob = open(sys.argv[2], "rb").read()
          if blob[:2] == bytes([31, 139]): blob = gzip.decompress(blob)
          out, at = b"", 0
          for number, line in enumerate(gzip.open(sys.argv[1])):
              entry = json.loads(line)
              assert entry["position"] == number
              if entry["type"] == 2: out += base64.b64decode(entry["payload"])
              else:
                  size = entry.get("size", 0)
                  out += blob[len(out):len(out) + size]
                  assert (entry["payload"] is not None) == (size > 0)
          print(hashlib.sha256(out).hexdigest(), end="")
          """
        #expect(try Tool.run(["python3", "-c", program, scratch + "/split.gz", layer.path]) == layer.diffID.hex)
      }
    }
  }
}
