import BuildModel

/// An end with a status of its own.
struct WorkerExit: Error {
  var status: Int32
  var message: String

  static func usage(_ message: String) -> WorkerExit { WorkerExit(status: 2, message: message) }
  static func unknown(_ attempt: AttemptID) -> WorkerExit {
    WorkerExit(status: 3, message: "attempt \(attempt) is not known on this host")
  }
}
