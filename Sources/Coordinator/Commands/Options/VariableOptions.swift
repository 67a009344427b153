import ArgumentParser
import BuildModel

/// What a request adds to the build's local.conf.
struct VariableOptions: ParsableArguments {
  @Option(
    name: [.customShort("a"), .long],
    help: """
      NAME=VALUE for the build's local.conf, as barys' option of this name. May be repeated. The result is not a release. \
      index.json shows the values: none can be a secret.
      """)
  var additionalVariable: [String] = []

  func list() throws -> [AdditionalVariable] { try AdditionalVariable.list(additionalVariable) }
}
