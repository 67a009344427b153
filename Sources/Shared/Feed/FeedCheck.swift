import BuildModel
import FoundationEssentials
import Glibc

import struct Crypto.SHA256

/// Checks a feed on disk and reports everything that is wrong, not only the first.
package struct FeedCheck: Sendable {
  package enum Depth: Int, Sendable, Comparable {
    /// Indexes, and the files by size and digest.
    case files
    /// Also that every file is a package whose control file agrees with its stanza.
    case packages
    /// Also every entry of every data archive.
    case contents

    package static func < (a: Depth, b: Depth) -> Bool { a.rawValue < b.rawValue }
  }

  package var root: String
  /// PACKAGE_ARCHS; nil: every directory, none is unknown.
  package var architectures: [String]?
  package var depth: Depth
  package var limits = IpkLimits()

  package init(root: String, architectures: [String]?, depth: Depth) {
    self.root = root
    self.architectures = architectures
    self.depth = depth
  }

  /// Throws only when the feed's directory itself cannot be listed.
  package func run() throws(FeedError) -> FeedReport {
    var report = FeedReport()
    let present = try Self.directories(of: root)
    report.architectures = architectures.map { PackageFeed.ordered($0).filter { present.contains($0) } } ?? present
    for name in present where !report.architectures.contains(name) {
      report.add(FeedFinding(rule: .directory, file: name, reason: "is not in PACKAGE_ARCHS and not used"))
    }
    for architecture in report.architectures { check(architecture, into: &report) }
    return report
  }

  /// All directories of a feed, sorted; which are architectures and in what order they count, only PACKAGE_ARCHS says.
  package static func directories(of root: String) throws(FeedError) -> [String] {
    try FeedFile.list(root).filter { FeedFile.isDirectory(root + "/" + $0) }
  }

  private func check(_ architecture: String, into report: inout FeedReport) {
    let directory = root + "/" + architecture
    let index = architecture + "/Packages"
    let names: [String]
    do throws(FeedError) {
      names = try FeedFile.list(directory)
    } catch {
      return report.add(FeedFinding(rule: .indexUnusable, file: architecture, reason: error.reason))
    }
    let files = names.filter { $0.hasSuffix(".ipk") }
    guard names.contains("Packages") else {
      if !files.isEmpty { report.add(FeedFinding(rule: .indexMissing, file: index, reason: FeedFinding.indexIsMissing)) }
      return
    }
    var parser = IndexParser(isStrict: false)
    var hash = SHA256()
    do throws(FeedError) {
      try parser.read(file: root + "/" + index) { hash.update(bufferPointer: $0) }
      // An index whose reading was given up has no digest to compare with.
      checkCompressed(index + ".gz", is: parser.isOver ? nil : hash.finalize(), into: &report)
    } catch {
      report.add(FeedFinding(rule: .indexUnusable, file: index, reason: error.reason))
    }
    for problem in parser.problems {
      report.add(FeedFinding(rule: .stanza, file: index, line: problem.line, package: problem.package, reason: problem.reason))
    }
    report.count(.stanza, more: parser.problemCount - parser.problems.count)
    check(parser.stanzas, of: architecture, into: &report)
    let listed = Set(parser.stanzas.map(\.file.text))
    for name in files where !listed.contains(name) {
      report.add(FeedFinding(rule: .unlisted, file: architecture + "/" + name, reason: "is not listed in Packages"))
    }
  }

  private func checkCompressed(_ file: String, is digest: SHA256.Digest?, into report: inout FeedReport) {
    let path = root + "/" + file
    guard FeedFile.exists(path) else { return report.add(FeedFinding(rule: .compressedIndex, file: file, reason: "is missing beside Packages")) }
    guard let digest else { return }
    do {
      if try GzipFile.digest(path, limit: PackageIndex.byteLimit) != digest {
        report.add(FeedFinding(rule: .compressedIndex, file: file, reason: "differs from Packages"))
      }
    } catch {
      report.add(FeedFinding(rule: .compressedIndex, file: file, reason: (error as? FeedError)?.reason ?? "\(error)"))
    }
  }

  private func check(_ stanzas: [PackageStanza], of architecture: String, into report: inout FeedReport) {
    var seen: [PackageName: [PackageStanza]] = [:]
    for stanza in stanzas {
      report.packages += 1
      report.bytes = report.bytes.addingSaturated(stanza.size)
      let file = architecture + "/" + stanza.file.text
      func add(_ rule: FeedFinding.Rule, _ reason: String) {
        report.add(FeedFinding(rule: rule, file: file, package: stanza.name.text, reason: reason))
      }
      if stanza.architecture != architecture { add(.architecture, FeedFinding.isOfAnotherFeed(stanza)) }
      if let twin = seen[stanza.name]?.first(where: { $0.version.isEquivalent(to: stanza.version) && !$0.hasSameContent(as: stanza) }) {
        add(.duplicate, "\(stanza.name) \(stanza.version) is listed twice with other content (also as \(twin.file))")
      }
      seen[stanza.name, default: []].append(stanza)
      for item in stanza.unreadableRelations { add(.relation, "cannot be read and is not used: \(item)") }
      if stanza.sha256 == nil, stanza.md5 != nil { add(.weakDigest, "its index has no sha256, only md5") }
      do throws(FeedError) {
        if let problem = try PackageFeed.problem(of: stanza, at: root + "/" + file) {
          add(problem.rule, problem.reason)
        } else if depth >= .packages {
          check(stanza, file: file, into: &report)
        }
      } catch {
        add(.fileKind, error.reason)
      }
    }
  }

  /// The package itself, whose bytes are what the index promises.
  private func check(_ stanza: PackageStanza, file: String, into report: inout FeedReport) {
    func add(_ rule: FeedFinding.Rule, _ reason: String) {
      report.add(FeedFinding(rule: rule, file: file, package: stanza.name.text, reason: reason))
    }
    do {
      let ipk = try Ipk(path: root + "/" + file)
      let control = try ipk.controlFields()
      for (key, promised) in [("Package", stanza.name.text), ("Version", stanza.version.text), ("Architecture", stanza.architecture)] {
        let found = control[key]
        if found != promised { add(.control, "its control file says \(key) '\(found?.prefix(100) ?? "")', its index '\(promised)'") }
      }
      let scripts = try ipk.maintainerScripts()
      if !scripts.isEmpty { add(.scripts, "has maintainer scripts, which are not run: \(scripts.joined(separator: ", "))") }
      guard depth >= .contents else { return }
      try ipk.readData(package: stanza.name.text, limits: limits) { _ in nil }
    } catch let error as FeedError {
      if case .refused = error { add(.content, error.reason) } else { add(.package, error.reason) }
    } catch {
      add(.package, "\(error)")
    }
  }
}

extension PackageFeed {
  /// Checks that every directory with packages has an index, that `Packages.gz` has the same content, that every stanza has its file of the
  /// right size and digest, and that every ipk is listed. Returns the number of packages; throws with all that is wrong (at most ten of it named).
  package func verify() throws(FeedError) -> Int {
    let report = try FeedCheck(root: root, architectures: architectures, depth: .files).run()
    let errors = report.findings.filter(\.isError)
    guard let first = errors.first else { return report.packages }
    let more = errors.dropFirst().prefix(9).map { "; \($0.file): \($0.reason)" }.joined()
    let left = report.errorCount - min(10, errors.count)
    throw .inconsistent(file: root + "/" + first.file, reason: first.reason + more + (left > 0 ? "; and \(left) more" : ""))
  }
}
