/// Runs a child to its end. Everything here blocks the calling thread.
package enum ChildProcess {
  /// Returns when the child has ended (or a bound was reached) and what it wrote has been given to `output`, in pieces of at most 64 KiB.
  ///
  /// A daemon that the child left behind may hold the stream open; what it writes later is not waited for.
  ///
  /// - Parameters:
  ///   - interruption: With it the caller is taken for the reaper of all orphans: they are collected on the way. A child whose time is over, or that
  ///     is cancelled, is then still there when this returns: the caller ends the whole process tree. Without it such a child is killed here.
  ///   - input: A file that the child reads from where its offset stands; nil: there is nothing to read.
  ///   - verdict: Asked at least once a second; what it returns ends the wait as a bound does.
  ///   - errors: Takes standard error; nil: both streams come to `output`, in the order in which they were written.
  ///   - output: A child whose output is refused (by an error) is killed, and the error is thrown.
  package static func run(
    _ command: Command, limits: ChildLimits, group: ChildGroup = .session, interruption: Interruption? = nil, input: Int32? = nil,
    verdict: () -> ChildEnd? = { nil }, errors: ((UnsafeRawBufferPointer) throws -> Void)? = nil, output: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> ChildEnd {
    var run = try start(command, group: group, input: input, hasErrors: errors != nil)
    return try run.follow(limits: limits, interruption: interruption, verdict: verdict) { stream, piece in
      if stream == 0 { try output(piece) } else { try errors?(piece) }
    }
  }

  /// Runs a program and keeps what it writes; for short answers. A child that writes more than `limit` bytes is killed, and that is an error.
  package static func capture(
    _ command: Command, seconds: Double, limit: Int = 1 << 20, group: ChildGroup = .session, input: Int32? = nil
  ) throws -> (end: ChildEnd, output: String) {
    var bytes: [UInt8] = []
    let end = try run(command, limits: .total(seconds), group: group, input: input) { piece in
      guard piece.count <= limit - bytes.count else { throw ProcessError.tooMuchOutput(program: command.program, limit: limit) }
      bytes.append(contentsOf: piece)
    }
    return (end, String(decoding: bytes, as: UTF8.self))
  }

  /// The child's own ends of the pipes are closed on the way out: else their ends would never be seen.
  private static func start(_ command: Command, group: ChildGroup, input: Int32?, hasErrors: Bool) throws(ProcessError) -> ChildRun {
    var output = try ChildPipe.output(of: command.program)
    guard hasErrors else {
      let child = try spawn(command, descriptors: ChildDescriptors(input: input, output: output.childEnd), group: group)
      return ChildRun(child: child, output: ChildOutput([output.takeOwn()]))
    }
    var errors = try ChildPipe.output(of: command.program)
    let child = try spawn(
      command, descriptors: ChildDescriptors(input: input, output: output.childEnd, errors: errors.childEnd), group: group)
    return ChildRun(child: child, output: ChildOutput([output.takeOwn(), errors.takeOwn()]))
  }
}
