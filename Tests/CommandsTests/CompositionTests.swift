import Foundation
import TestFiles
import TestPeers
import Testing

/// Blocks that a composition names: one is built by its recipe, one is fetched from a registry and stays what was published.
@Suite struct CompositionTests {
  /// docker-registry on the port that the sample's composition names; `accounts` is a file of htpasswd.
  private func registry(in directory: String, accounts: String? = nil) throws -> DockerRegistry {
    try DockerRegistry(in: directory, port: 5000, authentication: accounts.map { "{htpasswd: {realm: test, path: \($0)}}" })
  }

  private func shell(_ script: String, in directory: String) throws -> String {
    let ended = try Child(["bash", "-ec", script], environment: SampleFarm.environment(home: directory), directory: directory).wait()
    try #require(ended.status == 0, "\(script): \(ended.errors)")
    return ended.output
  }

  @Test func buildsOneServiceAndFetchesTheOther() throws {
    try withScratchDirectory { scratch in
      let registry = try self.registry(in: scratch)
      defer { registry.end() }
      let digest = try shell(
        """
        umoci init --layout image; umoci new --image image:1; mkdir tree; echo journal >tree/journal
        umoci insert --rootless --image image:1 tree /usr; umoci config --image image:1 --architecture arm64 --os linux
        skopeo copy --quiet --insecure-policy --format v2s2 --dest-tls-verify=false oci:image:1 docker://localhost:5000/acme/journal:1.2.0
        skopeo inspect --tls-verify=false --format '{{.Digest}}' --override-arch arm64 docker://localhost:5000/acme/journal:1.2.0
        """, in: scratch
      ).trimmingCharacters(in: .whitespacesAndNewlines)

      let farm = try SampleFarm(["modern"])
      let ended = try farm.start(["build", "--local", "-m", "acme-kit", "--blocks", "acme-tracing:acme-journal", "--json"], limit: 120).wait()
      #expect(ended.status == 0, "\(ended.errors)")
      let report = try JSON(ended.output).deviceType("acme-kit")
      let blocks = report["blocks"].items
      #expect(blocks.compactMap { $0["name"].text } == ["acme-tracing", "acme-journal"])
      #expect(blocks.last?["dockerDigest"].text == digest)
      let paths = Set(report["artifacts"].items.compactMap { $0["path"].text })
      #expect(paths.contains("deploy-jenkins/service/acme-tracing/images/acme-kit/acme-tracing-extension-acme-kit.manifest"), "\(paths)")
      #expect(report["steps"].items.contains { $0["name"].text == "fetch" })

      // With an account of farm.yaml where the registry wants one. The hash is bcrypt's of the password.
      registry.end()
      let password = "correct-horse"
      let hash = "import crypt; print('robot:' + crypt.crypt('\(password)', crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)).replace('$2b$', '$2y$'))"
      _ = try shell("python3 -W ignore -c \"\(hash.replacing("$", with: "\\$"))\" >accounts", in: scratch)
      let locked = try self.registry(in: scratch, accounts: scratch + "/accounts")
      defer { locked.end() }
      let extra = "registries: {\"localhost:5000\": {username: robot, password: \"env:REGISTRY_PASSWORD\"}}\n"
      let member = try SampleFarm(["modern"], extra: extra)
      let arguments = ["build", "--local", "-m", "acme-kit", "--blocks", "acme-journal", "--only", "blocks", "--json"]
      let granted = try member.start(arguments, variables: ["REGISTRY_PASSWORD": password], limit: 120).wait()
      #expect(granted.status == 0, "\(granted.errors)")
      #expect(try JSON(granted.output).deviceType("acme-kit")["blocks"].items.last?["dockerDigest"].text == digest)
      let stranger = try SampleFarm(["modern"], extra: extra)
      let denied = try stranger.start(arguments, variables: ["REGISTRY_PASSWORD": "wrong-horse"], limit: 120).wait()
      #expect(denied.status == 1 && !(denied.output + denied.errors).contains("wrong-horse"))
      #expect(try JSON(denied.output).deviceType("acme-kit")["reason"].text?.contains("401") == true, "\(denied.output)")

      // Where the image is not, nothing is silently left out.
      locked.end()
      try FileManager.default.createDirectory(atPath: scratch + "/empty", withIntermediateDirectories: true)
      let empty = try self.registry(in: scratch + "/empty")
      defer { empty.end() }
      let gone = try SampleFarm(["modern"])
      let failed = try gone.start(["build", "--local", "-m", "acme-kit", "--blocks", "acme-journal", "--json"], limit: 120).wait()
      #expect(failed.status == 1)
      let reason = try JSON(failed.output).deviceType("acme-kit")["reason"].text ?? ""
      #expect(reason.contains("acme-journal") && reason.contains("localhost:5000"), "\(reason)")
    }
  }
}
