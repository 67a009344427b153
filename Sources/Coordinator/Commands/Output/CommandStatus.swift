/// Ends the program with a status after everything was said.
struct CommandStatus: Error {
  var status: Int32
}
