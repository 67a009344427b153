import BuildModel
import CanonicalJSON
import Testing

/// Variables that a request adds to the build's local.conf.
struct AdditionalVariableTests {
  @Test func parts() throws {
    let variable = try AdditionalVariable("ACME_TRACING-x=a=b,${C}")
    #expect(variable.name == "ACME_TRACING-x" && variable.value == "a=b,${C}" && variable.description == "ACME_TRACING-x=a=b,${C}")
    #expect(try AdditionalVariable("A=").value.isEmpty)
  }

  @Test(arguments: [
    ("A", "must be NAME=VALUE"), ("=x", "begin with a letter"), ("1A=x", "begin with a letter"), ("-A=x", "begin with a letter"),
    ("A:append=x", "its name must be"), ("A B=x", "its name must be"), ("DEVICE_TYPE=x", "DEVICE_TYPE is set by blockfarm itself"),
    ("SSTATE_DIR=/x", "is set by blockfarm itself"), ("A=x y", "neither blanks nor control characters"), ("A=\u{1b}", "neither blanks nor control"),
    ("A=x\n", "neither blanks nor control"), ("A=\"", "do not survive the build wrapper"), ("A=x*", "do not survive the build wrapper"),
    ("A=" + String(repeating: "x", count: 1025), "at most 1024 bytes"),
  ])
  func refusals(_ text: String, _ reason: String) {
    let error = #expect(throws: InvalidAdditionalVariable.self) { try AdditionalVariable(text) }
    #expect(error?.description.hasPrefix("--additional-variable '") == true && error?.reason.contains(reason) == true, "\(error?.description ?? "")")
    #expect(error?.blame == .request)
  }

  /// Their order on the command line changes no key; a name counts once.
  @Test func lists() throws {
    #expect(try AdditionalVariable.list(["B=1", "A=2"]) == AdditionalVariable.list(["A=2", "B=1"]))
    let error = #expect(throws: InvalidAdditionalVariable.self) { try AdditionalVariable.list(["A=1", "A=1"]) }
    #expect(error?.reason == "A is given twice")
  }

  /// Settings without variables are the same bytes as before there were any, so that what was built then is still found.
  @Test func wireForm() throws {
    func text(_ settings: TaskSpec.Settings) throws -> String { String(decoding: try CanonicalJSON.encode(settings), as: UTF8.self) }
    #expect(try text(.init()) == #"{"isDevelopment":false}"#)
    let settings = TaskSpec.Settings(variables: try AdditionalVariable.list(["B=2", "A=1"]))
    #expect(try text(settings) == #"{"isDevelopment":false,"variables":["A=1","B=2"]}"#)
    #expect(try CanonicalJSON.decode(TaskSpec.Settings.self, from: text(settings).utf8) == settings)
    #expect(try CanonicalJSON.decode(TaskSpec.Settings.self, from: #"{"isDevelopment":false}"#.utf8) == TaskSpec.Settings())
    #expect(throws: (any Error).self) {
      try CanonicalJSON.decode(TaskSpec.Settings.self, from: #"{"isDevelopment":false,"variables":["MACHINE=x"]}"#.utf8)
    }
  }
}
