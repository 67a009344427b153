import BuildModel

/// Which packages of a feed are wanted.
package enum FeedWish: Hashable, Sendable {
  /// What the names of each list stand for; the lists are those of blocks, which are made one by one.
  case best([[PackageName]])
  /// Exactly these.
  case locked([BlockLock.Package])
}

extension PackageFeed {
  /// The candidates that the wish names, each once; throws naming the nearest packages when one is not there.
  package func candidates(for wish: FeedWish) throws(FeedError) -> [Candidate] {
    var chosen: [Candidate] = []
    var seen: Set<Candidate> = []
    func take(_ found: Candidate) { if seen.insert(found).inserted { chosen.append(found) } }
    switch wish {
    case .best(let lists):
      for names in lists { for item in try FeedSelection(names, from: self).items { take(item.candidate) } }
    case .locked(let packages):
      for package in packages {
        let found = candidates[package.name]?.first {
          $0.stanza.sha256 == package.digest && $0.directory == package.architecture && $0.stanza.version.text == package.version
        }
        guard let found else { throw .missing(package: package.name, feed: root, nearest: nearest(to: package.name)) }
        take(found)
      }
    }
    return chosen
  }
}
