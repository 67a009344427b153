import BlobStore
import BoundedConcurrency
import BuildModel
import Foundation
import HTTPSupport
import OCIImage
import TestFiles
import TestPeers
import TestServers
import Testing

@testable import HTTP
@testable import Registry

/// Against a real docker-registry; skopeo is the judge.
@Suite(.timeLimit(.minutes(2)))
struct RegistryTests {
  private func client(_ registry: DockerRegistry, _ change: (inout RegistryClient.Settings) -> Void = { _ in }) throws -> RegistryClient {
    var settings = RegistryClient.Settings()
    change(&settings)
    return try RegistryClient(try registry.name, http: try HTTPClient(settings: Waits().settings()), settings: settings)
  }

  @Test(arguments: [ImageManifest.Flavour.docker, .oci], [nil, 1_000_000]) func pushedImageIsWhatSkopeoSees(
    flavour: ImageManifest.Flavour, chunk: Int64?
  ) async throws {
    try await withScratchDirectory { scratch in
      try await withDockerRegistry(in: scratch) { registry in
        let test = try TestImage(in: scratch, layers: [3 << 20, 70_000], flavour: flavour)
        let client = try client(registry) { $0.chunkSize = chunk }
        let repository = try RepositoryName("v2/0123456789abcdef")
        let tag = try ManifestName.tag(ImageTag("1.2.3"))
        let first = try await client.push(test.image, to: repository, as: tag)
        #expect(Set(first.uploaded) == Set(test.layers + [test.config]))
        #expect(first.digest == test.image.manifest.blob.digest && !first.manifestWasThere && first.mounted.isEmpty)
        let reference = "docker://127.0.0.1:\(registry.port)/\(repository):1.2.3"
        #expect(try Tool.bytes(["skopeo", "inspect", "--tls-verify=false", "--raw", reference]) == test.image.manifest.bytes)
        // skopeo checks every digest while it copies.
        try Tool.run("skopeo", "copy", "-q", "--src-tls-verify=false", "--preserve-digests", reference, "dir:\(scratch)/copy")
        #expect(FileManager.default.contents(atPath: "\(scratch)/copy/\(test.layers[0].digest.hex)")?.count == Int(test.layers[0].size))
        // Another client, so that nothing is remembered.
        let second = try await self.client(registry).push(test.image, to: repository, as: tag)
        #expect(Set(second.present) == Set(first.uploaded) && second.uploaded.isEmpty && second.manifestWasThere)
      }
    }
  }

  @Test func whatSkopeoPushedIsPulledByPlatform() async throws {
    try await withScratchDirectory { scratch in
      try await withDockerRegistry(in: scratch) { registry in
        let client = try client(registry)
        let repository = try RepositoryName("library/block")
        var entries: [String] = []
        for (index, architecture) in ["amd64", "arm64"].enumerated() {
          let test = try TestImage(in: scratch, layers: [200_000], seed: UInt64(index + 5), flavour: .oci, architecture: architecture)
          _ = try await client.push(test.image, to: try RepositoryName("made/\(architecture)"), as: .tag(.latest))
          try Tool.run(
            "skopeo", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", "docker://127.0.0.1:\(registry.port)/made/\(architecture)",
            "docker://127.0.0.1:\(registry.port)/\(repository):\(architecture)")
          let blob = test.image.manifest.blob
          entries.append(
            "{\"mediaType\":\"\(MediaType.ociManifest)\",\"digest\":\"\(blob.digest)\",\"size\":\(blob.size),"
              + "\"platform\":{\"os\":\"linux\",\"architecture\":\"\(architecture)\"}}")
        }
        let index = "{\"schemaVersion\":2,\"mediaType\":\"\(MediaType.ociIndex)\",\"manifests\":[\(entries.joined(separator: ","))]}"
        let list = try LocalManifest(Array(index.utf8), mediaType: MediaType.ociIndex)
        try await client.put(list, as: .tag(.latest), in: repository)
        let store = try BlobStore(root: scratch + "/store")
        let arm = Platform(os: "linux", architecture: "arm64", variant: "v8")
        let pulled = try await client.pull(.tag(.latest), in: repository, platform: arm, into: store, limit: 1 << 20)
        #expect(pulled.platform == Platform(os: "linux", architecture: "arm64", variant: nil))
        for blob in [pulled.manifest.blob, pulled.config] + pulled.layers.map({ BlobDescriptor(digest: $0.digest, size: $0.size) }) {
          try store.verify(blob.digest)
        }
        let byDigest = try await client.pull(.digest(pulled.manifest.blob.digest), in: repository, platform: nil, into: store, limit: 1 << 20)
        #expect(byDigest.layers == pulled.layers)

        let power = Platform(os: "linux", architecture: "ppc64le", variant: nil)
        let none = await exchangeFailure { _ = try await client.pull(.tag(.latest), in: repository, platform: power, into: store, limit: 1 << 20) }
        #expect(none?.description.hasSuffix("the platform in index latest is only linux/amd64, linux/arm64, expected linux/ppc64le") == true)
        let unsaid = await exchangeFailure { _ = try await client.pull(.tag(.latest), in: repository, platform: nil, into: store, limit: 1 << 20) }
        #expect(text(unsaid).contains("one of linux/amd64, linux/arm64"))
        let other = await exchangeFailure {
          _ = try await client.pull(.tag(try ImageTag("amd64")), in: repository, platform: arm, into: store, limit: 1 << 20)
        }
        #expect(text(other).contains("the image's platform is linux/amd64, expected linux/arm64/v8"))
        let large = await exchangeFailure {
          let empty = try BlobStore(root: scratch + "/empty")
          _ = try await client.pull(.tag(.latest), in: repository, platform: arm, into: empty, limit: 200_000)
        }
        #expect(text(large).contains("expected at most 200000 bytes"))
      }
    }
  }

  @Test func eachByteIsUploadedOnceForManyRepositories() async throws {
    try await withScratchDirectory { scratch in
      try await withDockerRegistry(in: scratch) { registry in
        let relay = try RelayServer(upstream: registry.port)
        defer { relay.stop() }
        let client = try RegistryClient(RegistryName("127.0.0.1:\(relay.port)"), http: HTTPClient(settings: Waits().settings()))
        let test = try TestImage(in: scratch, layers: [4 << 20, 100_000])
        // All at once, and one of them a second time.
        let names = try (0..<10).map { try RepositoryName("device-\($0)/block") }
        let reports = try await names.concurrentMap(atOnce: 10) { try await client.push(test.image, to: $0, as: .tag(.latest)) }
        #expect(reports.map(\.uploaded.count).reduce(0, +) == 3)
        #expect(reports.map(\.mounted.count).reduce(0, +) == 27)
        let manifests = 10 * test.image.manifest.bytes.count
        #expect(relay.uploadedBytes == Int((test.layers + [test.config]).map(\.size).reduce(0, +)) + manifests)
        for name in names {
          #expect(
            try Tool.bytes(["skopeo", "inspect", "--tls-verify=false", "--raw", "docker://127.0.0.1:\(registry.port)/\(name)"])
              == test.image.manifest.bytes)
        }
      }
    }
  }

  /// Nothing is uploaded before both have seen that the repository has nothing.
  @Test func twoTagsOfOneRepositoryShareTheirUploads() async throws {
    try await withScratchDirectory { scratch in
      try await withDockerRegistry(in: scratch) { registry in
        let test = try TestImage(in: scratch, layers: [2 << 20, 100_000])
        let blobs = test.layers + [test.config]
        let asked = DispatchSemaphore(value: 0)
        let relay = try RelayServer(upstream: registry.port) { request, number in
          if request.method == "HEAD", number == 2 * (1 + blobs.count) { for _ in 0..<100 { asked.signal() } }
          if request.method == "POST" { asked.wait() }
          return .pass
        }
        defer { relay.stop() }
        let client = try RegistryClient(RegistryName("127.0.0.1:\(relay.port)"), http: HTTPClient(settings: Waits().settings()))
        let repository = try RepositoryName("r/app")
        let reports = try await [ImageTag("1"), .latest].concurrentMap(atOnce: 2) {
          try await client.push(test.image, to: repository, as: .tag($0))
        }
        #expect(reports.map(\.uploaded.count).reduce(0, +) == 3 && reports.map(\.present.count).reduce(0, +) == 3)
        #expect(relay.uploadedBytes == Int(blobs.map(\.size).reduce(0, +)) + 2 * test.image.manifest.bytes.count)
        for tag in ["1", "latest"] { try Tool.run("skopeo", "inspect", "--tls-verify=false", "docker://127.0.0.1:\(registry.port)/r/app:\(tag)") }
      }
    }
  }

  @Test func wrongContentIsNamedAndNothingIsPublished() async throws {
    try await withScratchDirectory { scratch in
      try await withDockerRegistry(in: scratch) { registry in
        let client = try client(registry)
        let repository = try RepositoryName("a/b")
        var test = try TestImage(in: scratch, layers: [2 << 20]).image
        let digest = test.blobs[0].blob.digest
        test.blobs[0] = LocalBlob(test.blobs[0].blob, bytes: noise(Int(test.blobs[0].blob.size), seed: 77))
        let error = await exchangeFailure { _ = try await client.push(test, to: repository, as: .tag(.latest)) }
        guard let failure = error as? RegistryError else { throw Missing(what: "a failure: \(String(describing: error))") }
        #expect(failure.codes == ["DIGEST_INVALID"])
        let start = "registry 127.0.0.1:\(registry.port), repository a/b, blob \(digest): PUT http://127.0.0.1:\(registry.port)/v2/a/b/blobs/uploads/"
        #expect("\(failure)".hasPrefix(start) && "\(failure)".contains("was answered 400: DIGEST_INVALID: "))
        #expect(try await client.manifestDigest(.tag(.latest), in: repository) == nil)
        let missing = await exchangeFailure { try await client.put(test.manifest, as: .tag(.latest), in: repository) }
        #expect(text(missing).contains("MANIFEST_BLOB_UNKNOWN"))
      }
    }
  }

  @Test func basicAuthentication() async throws {
    try await withScratchDirectory { scratch in
      let hash = try Tool.run(
        "python3", "-W", "ignore", "-c",
        "import crypt; print(crypt.crypt('pass-word', crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)).replace('$2b$', '$2y$'))")
      try write(Array("me:\(hash)".utf8), to: scratch + "/htpasswd")
      try await withDockerRegistry(in: scratch, authentication: "{htpasswd: {realm: test, path: \(scratch)/htpasswd}}") { registry in
        let test = try TestImage(in: scratch, layers: [50_000])
        let http = try HTTPClient(settings: Waits().settings())
        let good = try RegistryClient(registry.name, http: http, credential: .basic(user: "me", password: Secret("pass-word")))
        #expect(try await good.push(test.image, to: try RepositoryName("a"), as: .tag(.latest)).uploaded.count == 2)
        for credential in [RegistryCredential.anonymous, .basic(user: "me", password: Secret("wrong-word"))] {
          let bad = try RegistryClient(registry.name, http: http, credential: credential)
          let error = await exchangeFailure { _ = try await bad.push(test.image, to: try RepositoryName("a"), as: .tag(.latest)) }
          #expect(error?.status == 401)
          #expect(text(error).hasSuffix("the credentials in use do not allow this"))
        }
      }
    }
  }
}
