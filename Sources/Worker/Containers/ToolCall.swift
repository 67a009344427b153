import Processes

/// A short call of a container tool.
enum ToolCall {
  /// Runs it to its end, whatever its status; `name` is what errors call it.
  static func capture(_ command: Command, name: String, seconds: Double) throws(ContainersError) -> (end: ChildEnd, output: String) {
    do {
      return try ChildProcess.capture(command, seconds: seconds, limit: 4 << 20)
    } catch {
      throw .tool(name, output: "\(error)")
    }
  }
}
