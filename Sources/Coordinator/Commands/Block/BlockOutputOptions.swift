import ArgumentParser
import BuildModel
import FarmService
import FoundationEssentials
import Toolbox

/// Where the image goes.
struct BlockOutputOptions: ParsableArguments {
  @Option(name: .long, help: "Directory of the OCI image layout to write.")
  var output: String?
  @Option(name: .long, help: "A docker-archive to write; without --output it is all that is made, and nothing is compressed.")
  var dockerArchive: String?
  @Option(name: .long, help: "The software bill of materials to write, an SPDX 2.3 document in JSON.")
  var sbom: String?

  func wanted() throws -> StandaloneBlock.Output {
    switch (output, dockerArchive) {
    case (let directory?, let archive): return .layout(directory: directory, dockerArchive: archive)
    case (nil, let archive?): return .dockerArchive(archive)
    case (nil, nil): throw ValidationError("say what to write: --output, --docker-archive or both")
    }
  }
}

extension Layering: ExpressibleByArgument {}
