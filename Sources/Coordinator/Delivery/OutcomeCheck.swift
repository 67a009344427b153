import BuildModel

/// A worker is not trusted: what it delivers must be exactly what it was asked for. Pure.
enum OutcomeCheck {
  /// Throws a ``Failure`` that says what is wrong with the outcome.
  static func check(_ outcome: Outcome, against spec: TaskSpec) throws(Failure) {
    guard outcome.attempt == spec.attempt else { throw refuse("it is for attempt \(outcome.attempt)") }
    let wanted = spec.blocks.map(\.name).sorted()
    guard outcome.blocks.map(\.name).sorted() == wanted else {
      throw refuse("blocks \(outcome.blocks.map(\.name.text)) instead of \(wanted.map(\.text))")
    }
    guard Set(outcome.artifacts.map(\.path)).count == outcome.artifacts.count else { throw refuse("it names a path twice") }
    guard outcome.blobs.allSatisfy({ $0.size >= 0 }) else { throw refuse("a size below zero") }
    for artifact in outcome.artifacts { try check(artifact) }
    if let system = spec.system, system.deployArtifact != "docker-image", !system.archive {
      guard outcome.artifacts.contains(where: { $0.role == .diskImage && $0.path.text == "images/" + system.deployArtifact }) else {
        throw refuse("the target image \(system.deployArtifact) is missing")
      }
    }
  }

  private static func check(_ artifact: Artifact) throws(Failure) {
    let prefix = artifact.path.text.split(separator: "/").first.map(String.init) ?? ""
    switch artifact.role {
    case .feed: guard prefix == "ipk" else { throw refuse("feed file outside ipk/: \(artifact.path)") }
    case .diskImage: guard prefix == "images" else { throw refuse("disk image outside images/: \(artifact.path)") }
    case .log: throw refuse("it names a failed task's log: \(artifact.path)")
    case .file: guard prefix != "ipk", prefix != "images" else { throw refuse("\(artifact.path) is no file of deploy-jenkins") }
    }
  }

  private static func refuse(_ reason: String) -> Failure {
    Failure(kind: .rejected, step: .verify, reason: "the worker's outcome is refused: \(reason)", blame: .host)
  }
}
