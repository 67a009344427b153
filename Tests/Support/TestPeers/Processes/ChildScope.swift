/// Runs `body` with a child, and ends the child afterwards. Parameters: see ``Child/init(_:environment:directory:input:limit:outputLimit:)``.
package func withChild<Value>(
  _ words: [String], environment: [String: String]? = nil, directory: String? = nil, input: Child.Input = .nothing, limit: Double = 600,
  _ body: (Child) throws -> Value
) throws -> Value {
  let child = try Child(words, environment: environment, directory: directory, input: input, limit: limit)
  defer { child.end() }
  return try body(child)
}

/// Runs `body` with a child, and ends the child afterwards. Parameters: see ``Child/init(_:environment:directory:input:limit:outputLimit:)``.
package func withChild<Value>(
  _ words: [String], environment: [String: String]? = nil, directory: String? = nil, input: Child.Input = .nothing, limit: Double = 600,
  _ body: (Child) async throws -> Value
) async throws -> Value {
  let child = try Child(words, environment: environment, directory: directory, input: input, limit: limit)
  defer { child.end() }
  return try await body(child)
}
