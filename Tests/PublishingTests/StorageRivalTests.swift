import BlobStore
import BuildModel
import Foundation
import HTTP
import TestFiles
import Testing

import struct Crypto.SHA256

@testable import Publishing

/// Two who publish one version with different content. Whatever happens, a directory's SHA256SUMS holds.
@Suite(.serialized, .enabled(if: PythonPeer.isAvailable, "deploy/check-storage gives it a Python with moto")) struct StorageRivalTests {
  enum Rival: CaseIterable { case publishes, writesMarker, overwrites }

  /// A bucket whose answers to `first` can be held; `second` is never held.
  struct Gate {
    let first: StorageTests.Bench
    let second: StorageTests.Bench

    @discardableResult
    func control(_ command: String) async throws -> String {
      let response = try await second.store.http.send(HTTPRequest(.post, try HTTPURL("http://127.0.0.1:\(second.port)/-/\(command)")))
      return String(decoding: response.body, as: UTF8.self)
    }

    /// Publishes with `rival` acting before the given request is carried out; gives the complaint, how many requests there were, and whether that one was.
    func publish(
      _ publication: StoragePublication, at request: Int, knowsConditions: Bool, _ rival: () async throws -> Void
    ) async throws -> (complaint: String?, count: Int, wasReached: Bool) {
      try await control("arm?\(request)\(knowsConditions ? "" : ",plain")")
      let publisher = first.publisher
      let publishing = Task { () -> (String?, Int) in
        var complaint: String?
        do { _ = try await publisher.publish(publication) } catch { complaint = "\(error)" }
        return (complaint, Int(try await control("over")) ?? 0)
      }
      let wasReached = try await control("reached") == "held"
      if wasReached {
        try await rival()
        try await control("open")
      }
      let (complaint, count) = try await publishing.value
      return (complaint, count, wasReached)
    }

    /// What SHA256SUMS says of the directory and is not so; nil where there is no SHA256SUMS.
    func differences(_ directory: String) async throws -> [String]? {
      guard let sums = try await second.text(directory + "/SHA256SUMS") else { return nil }
      var differences: [String] = []
      for line in sums.split(separator: "\n") {
        let words = line.split(separator: " ", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
        let content = try await second.store.get(second.key("\(directory)/\(words[1])"))
        if content.flatMap({ Digest(bytes: SHA256.hash(data: $0)) })?.hex != words[0] { differences.append(words[1]) }
      }
      return differences
    }
  }

  private func with(_ body: (Gate) async throws -> Void) async throws {
    try await withScratchDirectory { directory in
      try await PythonPeer.with("gated_service.py") { peer in
        let benches = try ["first", "second"].map { name in
          var settings = HTTPSettings()
          settings.userAgent = name
          return try StorageTests.bench(peer, "\(directory)/\(name)", http: HTTPClient(settings: settings))
        }
        try await body(Gate(first: benches[0], second: benches[1]))
      }
    }
  }

  @Test(arguments: Rival.allCases, [true, false])
  func aRivalAtEveryRequest(rival: Rival, knowsConditions: Bool) async throws {
    try await with { gate in
      // The last look at both files, marker, manifest, the manifest read back, the marker's end. An object that is written past every marker then is not
      // seen.
      let tail = rival == .overwrites ? 6 : 0
      var refusals: Set<String> = []
      var request = 1
      while true {
        let version = "2.60.\(request)"
        let directory = "images/generic-amd64/\(version)"
        let own = try gate.first.publication(version, ["VERSION": "1", "a": "first"], isFinal: false)
        let other = try gate.second.publication(version, ["VERSION": "2", "b": "second"], isFinal: false)
        var hasRivalPublished = false
        let ended = try await gate.publish(own, at: request, knowsConditions: knowsConditions) {
          switch rival {
          case .publishes: hasRivalPublished = (try? await gate.second.publisher.publish(other)) != nil
          case .writesMarker:
            let marker = Marker(owner: try ObjectStore.digest(of: other.manifest), time: .now)
            try await gate.second.store.put(marker.bytes, at: gate.second.key(directory + "/IGNORE"), access: .publicRead)
          case .overwrites: try await gate.second.store.put([2], at: gate.second.key(directory + "/VERSION"), access: .publicRead)
          }
        }
        guard ended.wasReached else { break }
        if request > ended.count - tail, ended.complaint == nil, tail > 0 {
          request += 1
          continue
        }
        #expect(try await gate.differences(directory) ?? [] == [], "request \(request): \(ended)")
        // What was whole stays, and is not left marked.
        if hasRivalPublished {
          #expect(try await gate.second.store.get(gate.second.key(directory + "/SHA256SUMS")) == other.manifest, "request \(request)")
          #expect(try await gate.second.store.head(gate.second.key(directory + "/IGNORE")) == nil, "request \(request)")
        }
        if let said = ended.complaint {
          refusals.insert(said.replacing(directory, with: "").split(separator: " ").suffix(4).joined(separator: " "))
        } else {
          #expect(try await gate.differences(directory) != nil, "request \(request)")
        }
        request += 1
      }
      let expected: [String] =
        switch rival {
        case .publishes: ["SHA256SUMS names other files"]
        case .writesMarker: ["took it over meanwhile"]
        case .overwrites: ["upload changed VERSION meanwhile"]
        }
      for text in expected { #expect(refusals.contains { $0.hasSuffix(text) }, "\(refusals)") }
      #expect(request > 10)
    }
  }

  @Test func bothAtOnce() async throws {
    try await with { gate in
      for round in 1...20 {
        let version = "2.61.\(round)"
        let publications = try [
          gate.first.publication(version, ["VERSION": "1", "a": "first"], isFinal: false),
          gate.second.publication(version, ["VERSION": "2", "b": "second"], isFinal: false),
        ]
        async let one: Void = { _ = try? await gate.first.publisher.publish(publications[0]) }()
        async let two: Void = { _ = try? await gate.second.publisher.publish(publications[1]) }()
        _ = await (one, two)
        let directory = publications[0].directory
        #expect(try await gate.differences(directory) ?? [] == [], "round \(round)")
        // Whoever loses takes nothing away from who is done.
        let isMarked = try await gate.second.store.head(gate.second.key(directory + "/IGNORE")) != nil
        if try await gate.differences(directory) != nil { #expect(!isMarked, "round \(round)") }
      }
    }
  }
}
