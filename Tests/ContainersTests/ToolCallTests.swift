import Containers
import Foundation
import TestFiles
import Testing

/// Container programs that cannot be run, with scripts in their place.
@Suite struct ToolCallTests {
  @Test func aToolThatCannotBeRunIsNamed() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("#!/nowhere/interpreter\n", to: "bin/docker", mode: 0o755)
    let docker = try #require(Docker(environment: ["PATH": scratch.path + "/bin", "DOCKER_HOST": "tcp://127.0.0.1:1"]))
    let error = #expect(throws: ContainersError.self) { try docker.run(["ps"]) }
    #expect(error?.description == "docker ps: run the interpreter of \(scratch.path)/bin/docker: No such file or directory")
  }

  @Test func aToolThatFailsIsReportedWithItsOutput() throws {
    let scratch = try ScratchDirectory()
    try scratch.write("#!/bin/sh\necho cannot connect >&2\nexit 1\n", to: "bin/docker", mode: 0o755)
    let docker = try #require(Docker(environment: ["PATH": scratch.path + "/bin:/usr/bin:/bin", "DOCKER_HOST": "tcp://127.0.0.1:1"]))
    let error = #expect(throws: ContainersError.self) { try docker.run(["ps"]) }
    #expect(error?.description == "docker ps: cannot connect\n")
  }
}
