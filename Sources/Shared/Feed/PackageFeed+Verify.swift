import BuildModel
import Glibc

import enum Crypto.Insecure
import struct Crypto.SHA256

extension PackageFeed {
  /// Checks size and digest of one package file: sha256, or md5 where the index has nothing better. `path` ends with the stanza's file name.
  package static func verify(_ stanza: PackageStanza, at path: String) throws(FeedError) {
    if let problem = try problem(of: stanza, at: path) { throw .inconsistent(file: path, reason: problem.reason) }
  }

  /// What is wrong with one package file, or nil.
  static func problem(of stanza: PackageStanza, at path: String) throws(FeedError) -> (rule: FeedFinding.Rule, reason: String)? {
    // A directory between the index and the file may be a link to anywhere.
    var parent = path
    for _ in stanza.file.text.split(separator: "/").dropFirst() {
      parent = String(parent.prefix(upTo: parent.lastIndex(of: "/") ?? parent.startIndex))
      guard FeedFile.kind(parent) != S_IFLNK else { return (.fileKind, "is listed but lies behind the symbolic link \(parent)") }
    }
    var status = stat()
    guard lstat(path, &status) == 0 else { return (.fileMissing, "is listed but not there") }
    guard status.st_mode & S_IFMT == S_IFREG else { return (.fileKind, "is listed but is no regular file") }
    guard Int64(status.st_size) == stanza.size else { return (.size, "has \(Counted(status.st_size, "byte")), its index says \(stanza.size)") }
    if let expected = stanza.sha256 {
      var hash = SHA256()
      try FeedFile.stream(path) { hash.update(bufferPointer: $0) }
      guard Digest(bytes: hash.finalize()) == expected else { return (.digest, "its sha256 is not the index's") }
    } else if let expected = stanza.md5 {
      guard try md5(path) == expected else { return (.digest, "its md5 is not the index's") }
    } else {
      return (.noDigest, "its index has neither sha256 nor md5")
    }
    return nil
  }

  /// Lower-case hexadecimal.
  static func md5(_ path: String) throws(FeedError) -> String {
    var hash = Insecure.MD5()
    try FeedFile.stream(path) { hash.update(bufferPointer: $0) }
    return hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
