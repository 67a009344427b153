import BlobStore
import BuildModel
import CanonicalJSON
import CoordinatorConfiguration
import Foundation
import Publishing
import PublishingSupport
import Reports
import TestCloud
import TestFiles
import Testing

@testable import Releases

/// `release verify` with the index of a request that published nothing: what is there is compared, and what need not be there is not missed.
struct IndexVerificationTests {
  private struct Bench {
    let session: CloudSession
    let blobs: BlobStore
    let directory: String

    func publish(_ publication: Publication) async throws {
      let publisher = Publisher(target: session.target, registry: session.registry, blobs: blobs, journal: NoJournal())
      _ = try await publisher.publish(publication, .init(mode: .final))
    }

    /// What is said about an index of these blocks.
    func verdicts(_ blocks: [String: PublishableImage], hasImages: Bool) async throws -> [String: [String]] {
      let report = DeviceTypeReport(
        slug: try Slug("generic-amd64"), machine: try Machine("generic-amd64"), arch: .amd64, version: OSVersion("2.60.1")!, outcome: .built,
        reason: nil,
        blocks: try blocks.map { name, image in
          DeviceTypeReport.Block(
            BlockResult(
              name: try BlockName(name), reference: name, platform: Architecture.amd64.platform, manifest: image.manifest,
              dockerManifest: image.manifest, config: image.config, layers: [], packages: [], notices: []))
        },
        images: hasImages ? [.init(path: try #require(RelativePath("images/a")), digest: blocks.values.first!.manifest.digest, size: 1)] : [])
      let path = directory + "/index.json"
      let index = IndexDocument(request: RequestID(now: .now), deviceTypes: [report])
      try Data(try CanonicalJSON.encode(index)).write(to: URL(filePath: path))
      let verdicts = try await IndexVerification(path: path).verify(in: session, slugs: [])
      return Dictionary(uniqueKeysWithValues: verdicts.map { ($0.application.replacing("balena_os/generic-amd64", with: ""), $0.differences) })
    }
  }

  private func with(_ body: (Bench) async throws -> Void) async throws {
    try await withScratchDirectory { directory in
      try await withTestCloud { cloud in
        var environment = Cloud(name: "lab", api: cloud.url)
        environment.login = .init(username: .plain(cloud.accounts.admin.email), password: .environment("PASSWORD"))
        let session = try await CloudSession.open(
          environment, for: .changing, registries: [], variables: ["PASSWORD": cloud.accounts.admin.password], notice: { _ in })
        try await body(Bench(session: session, blobs: try BlobStore(root: directory + "/blobs"), directory: directory))
      }
    }
  }

  private func images(_ publication: Publication) -> [String: PublishableImage] {
    Dictionary(uniqueKeysWithValues: publication.blocks.map { ($0.name.text, $0.image) })
  }

  @Test func blocksAlone() async throws {
    try await with { bench in
      var sample = SamplePublication()
      sample.hasHostapp = false
      let publication = try sample.make(in: bench.blobs)
      let images = images(publication)
      #expect(
        try await bench.verdicts(images, hasImages: false).mapValues { $0.map { $0.hasPrefix("there is no application") } }
          == ["-kernel": [true], "-tools": [true]])
      try await bench.publish(publication)
      #expect(try await bench.verdicts(images, hasImages: false) == ["-kernel": [], "-tools": []])
      // Who built the operating system, too, wants its release.
      let whole = try await bench.verdicts(images, hasImages: true)
      #expect(whole["-hostos"]?.count == 1 && whole["-hostos"]?.first?.hasPrefix("there is no application") == true, "\(whole)")
    }
  }

  @Test func servicesFromARegistry() async throws {
    try await with { bench in
      var publication = try SamplePublication().make(in: bench.blobs)
      let images = images(publication)
      let fetched = publication.blocks.removeLast()
      publication.hostapp?.otherImages = [fetched.name.text: fetched.image]
      publication.hostapp?.composition = [
        "version": "2.4",
        "services": ["hostapp": ["labels": ["io.balena.image.class": "hostapp"]], "kernel": [:], "tools": [:]],
      ]
      try await bench.publish(publication)
      #expect(try await bench.verdicts(images, hasImages: true) == ["-kernel": [], "-hostos": []])
      // Only some of them were made, without an operating system.
      #expect(try await bench.verdicts(images.filter { $0.key == "tools" }, hasImages: false) == ["-hostos": []])
      // Another image than the released one is a difference, wherever it is.
      var other = SamplePublication()
      other.seed = 2
      let differing = try await bench.verdicts(self.images(try other.make(in: bench.blobs)), hasImages: false)
      #expect(differing["-kernel"]?.count == 1 && differing["-hostos"]?.count == 2, "\(differing)")
      let unknown = try await bench.verdicts(["radio": fetched.image], hasImages: false)
      #expect(unknown["-radio"]?.first?.hasPrefix("there is no application") == true, "\(unknown)")
    }
  }
}

private struct NoJournal: PublishJournal {
  func note(_ entry: PublishEntry) {}
  func repositories(of registry: String, holding blobs: [Digest]) -> [Digest: String] { [:] }
  func notePushed(_ blobs: [Digest], registry: String, repository: String) {}
}
