import CSSH2
import FoundationEssentials
import Glibc
import Processes

/// One command on a session.
struct SSHChannel {
  let pointer: OpaquePointer
  var standardError = OutputTail()
  /// Output that came while input was being written.
  var pending: [UInt8] = []
  /// Output and error output have ended.
  var isAtEnd = false
}

extension SSHSession {
  /// What may be under way to us on a channel before it is read: the back-pressure.
  private static let window: UInt32 = 4 << 20
  private static let pieceSize = 256 << 10

  /// The session has as many channels as the host allows.
  struct TooManyChannels: Error {}

  func execute(_ command: RemoteCommand) async throws -> UInt64 {
    let text = command.shellText
    let pointer = try await openChannel()
    let id = makeID()
    channels[id] = SSHChannel(pointer: pointer)
    do {
      try await call("starting a command", until: .now + limits.control) { _ in
        Int(libssh2_channel_process_startup(pointer, "exec", 4, text, UInt32(text.utf8.count)))
      }
    } catch {
      await closeChannel(id)
      if let failure = error as? SSHFailure {
        throw ExecutorError.unreachable(host: hostName, reason: "it starts no commands for this account: \(failure)")
      }
      throw error
    }
    return id
  }

  private func openChannel() async throws -> OpaquePointer {
    var opened: OpaquePointer?
    do {
      try await call("opening a channel", until: .now + limits.control) { session in
        opened = libssh2_channel_open_ex(session, "session", 7, Self.window, 32768, nil, 0)
        return opened == nil ? Int(libssh2_session_last_errno(session)) : 0
      }
    } catch let failure as SSHFailure where failure.code == LIBSSH2_ERROR_CHANNEL_FAILURE {
      throw TooManyChannels()
    }
    guard let opened else { throw ExecutorError.unreachable(host: hostName, reason: "it opens no channel") }
    return opened
  }

  /// Opens channels without commands until the host refuses one; gives their number. They end with the session.
  func openChannels(upTo wanted: Int) async throws -> Int {
    for count in 0..<wanted {
      do {
        channels[makeID()] = SSHChannel(pointer: try await openChannel())
      } catch is TooManyChannels {
        return count
      }
    }
    return wanted
  }

  private func channel(_ id: UInt64) throws -> SSHChannel {
    if let channel = channels[id] { return channel }
    throw failure ?? ExecutorError.unreachable(host: hostName, reason: "the command's channel is closed")
  }

  // MARK: Output

  func read(_ id: UInt64, _ deadline: ProcessDeadline) async throws -> [UInt8]? {
    var channel = try channel(id)
    if !channel.pending.isEmpty {
      let piece = Array(channel.pending.prefix(Self.pieceSize))
      channels[id]?.pending.removeFirst(piece.count)
      return piece
    }
    if channel.isAtEnd { return nil }
    let buffer = FixedBuffer(size: Self.pieceSize)
    while true {
      try deadline.checkTotal("waiting for output", host: hostName)
      var count = 0
      try await call("waiting for output", until: deadline.next, yielding: true) { _ in
        count = readOutput(id, into: buffer)
        return count
      }
      if count > 0 { return Array(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count])) }
      channel = try self.channel(id)
      if channel.isAtEnd { return nil }
      // Error output came. Of that, too, there may be no end.
      await loop.nextTurn()
    }
  }

  /// Bytes of output; 0 when there is none for ever (`isAtEnd`) or only error output came; else a libssh2 error.
  private func readOutput(_ id: UInt64, into buffer: FixedBuffer) -> Int {
    guard let pointer = channels[id]?.pointer else { return Int(LIBSSH2_ERROR_CHANNEL_CLOSED) }
    let count = libssh2_channel_read_ex(pointer, 0, buffer.characters(), buffer.bytes.count)
    if count > 0 || (count < 0 && count != Int(LIBSSH2_ERROR_EAGAIN)) { return count }
    if count < 0, libssh2_session_block_directions(handle?.session) & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0 { return count }
    let errors = libssh2_channel_read_ex(pointer, SSH_EXTENDED_DATA_STDERR, buffer.characters(), buffer.bytes.count)
    if errors > 0 {
      channels[id]?.standardError.append(buffer.bytes[..<errors])
      return 0
    }
    if errors < 0, errors != Int(LIBSSH2_ERROR_EAGAIN) { return errors }
    if libssh2_channel_eof(pointer) == 1 {
      channels[id]?.isAtEnd = true
      return 0
    }
    return Int(LIBSSH2_ERROR_EAGAIN)
  }

  // MARK: Input

  /// False when the command takes no more input.
  func write(_ id: UInt64, _ bytes: [UInt8], _ deadline: ProcessDeadline) async throws -> Bool {
    let pointer = try channel(id).pointer
    let input = FixedBuffer(bytes)
    let scratch = FixedBuffer(size: Self.pieceSize)
    var sent = 0
    var isListening = false
    var isRefused = false
    while sent < bytes.count, !isRefused {
      try deadline.checkTotal("sending input", host: hostName)
      if sent > 0 { await loop.nextTurn() }
      let before = sent
      try await call("sending input", until: deadline.next, yielding: true) { session in
        while sent < bytes.count {
          if !isListening {
            let count = libssh2_channel_write_ex(pointer, 0, input.characters(from: sent), bytes.count - sent)
            if count > 0 {
              sent += count
              // Long inputs let the deadline start anew and other calls take their turn.
              if sent - before >= 1 << 20 { return 0 }
              continue
            }
            if count == Int(LIBSSH2_ERROR_CHANNEL_CLOSED) || count == Int(LIBSSH2_ERROR_CHANNEL_EOF_SENT) {
              isRefused = true
              return 0
            }
            if count < 0, count != Int(LIBSSH2_ERROR_EAGAIN) { return count }
            if libssh2_session_block_directions(session) & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0 { return Int(LIBSSH2_ERROR_EAGAIN) }
          }
          // The window is full. If the command has ended it stays so: only its output tells.
          let count = keepOutput(id, using: scratch)
          isListening =
            count == Int(LIBSSH2_ERROR_EAGAIN)
            && libssh2_session_block_directions(session) & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0
          if isListening || (count < 0 && count != Int(LIBSSH2_ERROR_EAGAIN)) { return count }
          if libssh2_channel_eof(pointer) == 1 || channels[id]?.isAtEnd == true {
            isRefused = true
            return 0
          }
          if count <= 0, sent > before { return 0 }
          if count <= 0 { return Int(LIBSSH2_ERROR_EAGAIN) }
        }
        return 0
      }
    }
    return !isRefused
  }

  /// Takes output aside while input is written, at most a window of it.
  private func keepOutput(_ id: UInt64, using buffer: FixedBuffer) -> Int {
    guard let held = channels[id]?.pending.count, held < Int(Self.window) else { return Int(LIBSSH2_ERROR_EAGAIN) }
    let count = readOutput(id, into: buffer)
    if count > 0 { channels[id]?.pending.append(contentsOf: buffer.bytes[..<count]) }
    return count
  }

  func closeInput(_ id: UInt64) async throws {
    let pointer = try channel(id).pointer
    do {
      try await call("ending the input", until: .now + limits.control) { _ in Int(libssh2_channel_send_eof(pointer)) }
    } catch is SSHFailure {
      // The command ended first.
    }
  }

  // MARK: End

  func waitForExit(_ id: UInt64, _ deadline: ProcessDeadline) async throws -> ProcessExit {
    channels[id]?.pending = []
    var rest = UnreadOutput(hostName: hostName)
    while let piece = try await read(id, deadline) {
      try rest.drop(piece)
      await loop.nextTurn()
    }
    let pointer = try channel(id).pointer
    // sshd closes after it has told the exit status. Were we to close first, the status might never come.
    try await call("waiting for the end", until: deadline.next, yielding: true) { _ in Int(libssh2_channel_wait_closed(pointer)) }
    var name: UnsafeMutablePointer<CChar>?
    libssh2_channel_get_exit_signal(pointer, &name, nil, nil, nil, nil, nil)
    let signal = name.map { String(cString: $0) }
    if let name, let handle { libssh2_free(handle.session, name) }
    let exit = ProcessExit(
      status: signal == nil ? libssh2_channel_get_exit_status(pointer) : nil, signal: signal,
      standardError: try channel(id).standardError.text)
    await closeChannel(id)
    return exit
  }

  /// Gives the channel up. The command is not ended by this, it finds its output closed. Not cancelled with the task.
  ///
  /// sshd confirms only when the command has ended, which may be never: so nobody waits for that. A channel that was given up is
  /// freed when a later one is closed, or with the session.
  func closeChannel(_ id: UInt64) async {
    guard let pointer = channels.removeValue(forKey: id)?.pointer, isUsable else { return }
    givenUp.append(pointer)
    for pointer in givenUp {
      _ = try? await call("closing a channel", until: .now + .seconds(5), yielding: true, cancellable: false) { session in
        guard givenUp.contains(pointer) else { return 0 }
        let code = libssh2_channel_close(pointer)
        let isSent = code == LIBSSH2_ERROR_EAGAIN && libssh2_session_block_directions(session) & LIBSSH2_SESSION_BLOCK_OUTBOUND == 0
        if code == 0 {
          givenUp.removeAll { $0 == pointer }
          libssh2_channel_free(pointer)
        }
        return isSent ? 0 : Int(code)
      }
    }
    updateWatch()
  }
}
