import BlobStore
import BoundedConcurrency
import BuildModel
import Feed
import Glibc
import HTTP

extension FeedFetcher {
  /// Fetches everything that the feed's indexes list and reports all that is wrong, also what could not be fetched.
  ///
  /// Files that no index lists cannot be seen from outside.
  package func check(architectures: [String], depth: FeedCheck.Depth) async throws(RemoteFeedError) -> (report: FeedReport, absent: [String]) {
    let names = try Self.directories(architectures)
    return try await withScratch { scratch in
      let found = try await names.concurrentMap(atOnce: Self.width) { name in
        // A check believes nobody that nothing changed.
        let anew = Revalidation(isAllowed: false)
        return (
          plain: try await document([name, "Packages"], asking: anew), packed: try await document([name, "Packages.gz"], asking: anew)
        )
      }
      var absent: [String] = []
      var failures: [FeedFinding] = []
      for (name, index) in zip(names, found) {
        guard index.plain != nil || index.packed != nil else {
          absent.append(name)
          continue
        }
        if let plain = index.plain { try link(plain, to: "\(scratch)/\(name)", as: "Packages") }
        if let packed = index.packed {
          try link(packed, to: "\(scratch)/\(name)", as: "Packages.gz")
          // Served compressed only, as opkg's src/gz feeds may be.
          if index.plain == nil { try await BlockingWork.run { try link(try inflate(packed, of: name), to: "\(scratch)/\(name)", as: "Packages") } }
        }
        failures += try await packages(of: name, in: "\(scratch)/\(name)")
      }
      guard absent.count < names.count else { throw RemoteFeedError.noIndex(feed: url.description, architectures: names) }
      let failed = Set(failures.map(\.file))
      var report = try await BlockingWork.run { try FeedCheck(root: scratch, architectures: names, depth: depth).run() }
      // Said better by why it could not be fetched.
      report.remove { $0.rule == .fileMissing && failed.contains($0.file) }
      for failure in failures { report.add(failure) }
      return (report, absent)
    }
  }

  /// Fetches all packages of one index into its directory; what could not be fetched is returned.
  private func packages(of name: String, in directory: String) async throws -> [FeedFinding] {
    let stanzas = try await BlockingWork.run { try PackageIndex.readable(path: directory + "/Packages") }
    let failures = try await stanzas.concurrentMap(atOnce: Self.width) { stanza -> FeedFinding? in
      do {
        let (blob, _) = try await package(stanza, in: name)
        try await BlockingWork.run {
          var parent = directory
          for component in stanza.file.text.split(separator: "/").dropLast() {
            parent += "/" + component
            guard mkdir(parent, 0o755) == 0 || errno == EEXIST else { throw RemoteFeedError.system(operation: "mkdir", path: parent, errno: errno) }
          }
          try cache.store.link(blob.digest, to: directory + "/" + stanza.file.text)
        }
        return nil
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        let rule: FeedFinding.Rule = if case .mismatch? = error as? HTTPError { .digest } else { .transfer }
        return FeedFinding(
          rule: rule, file: "\(name)/\(stanza.file)", package: stanza.name.text, reason: RemoteFeedError(error).description)
      }
    }
    return failures.compactMap { $0 }
  }
}
