import TestFiles

/// An SSH server that misbehaves. Up to the log-in it is a plain socket; after that it is paramiko, another implementation of SSH.
package struct HostileSSHServer: Sendable {
  /// What it does to everybody who connects. All of it goes on until the client ends the connection.
  package enum Behaviour: String, CaseIterable, Sendable {
    /// Lines of text without end where the version should be.
    case textBeforeVersion
    /// The version's line never ends.
    case endlessVersion
    /// One byte of the version at a time, with pauses.
    case drippingVersion
    case silence
    case silenceAfterVersion
    case hangUpAfterVersion
    /// SSH_MSG_IGNORE instead of a key exchange.
    case ignoreBeforeKeys
    /// SSH_MSG_DEBUG, of the smallest size.
    case debugBeforeKeys
    case silenceDuringLogin
    case ignoreDuringLogin
    case silenceAtOpening
    case ignoreAtOpening
    /// The command's channel is opened; what comes then has nothing to do with it.
    case ignoreWhileRunning
    /// The same, one byte at a time, with pauses.
    case dripWhileRunning
    /// Messages that nobody knows, which a client might keep.
    case unknownWhileRunning
    /// The command's output, a byte in each packet, more than the client's window has room for.
    case outputBeyondWindow
    /// The command's output, within the window, without end.
    case outputWithoutEnd
    case errorsWithoutEnd
    /// Ends the connection in the middle of a packet.
    case hangUpWhileRunning
  }

  package let port: UInt16
  /// Of its ed25519 host key, as `SHA256:…`.
  package let fingerprint: String

  fileprivate static let program = #"""
    import os, socket, struct, sys, threading, time
    behaviour, key = sys.argv[1:]

    def packet(kind, content):
        body = bytes([kind]) + content
        padding = 8 - (len(body) + 5) % 8 + 8
        return struct.pack(">IB", 1 + len(body) + padding, padding) + body + bytes(padding)

    def text(content): return struct.pack(">I", len(content)) + content

    def flood(client, piece):
        while True: client.sendall(piece)

    def plain(client):
        version = b"SSH-2.0-hostile\r\n"
        if behaviour == "textBeforeVersion": flood(client, b"all work and no play makes jack a dull boy\r\n" * 20000)
        if behaviour == "endlessVersion": flood(client, b"SSH-2.0-" + b"A" * 1000000)
        if behaviour == "drippingVersion":
            while True: client.sendall(b"S"); time.sleep(0.05)
        if behaviour == "silence": client.recv(1); time.sleep(3600)
        client.sendall(version)
        if behaviour == "silenceAfterVersion": time.sleep(3600)
        if behaviour == "hangUpAfterVersion": return
        if behaviour == "ignoreBeforeKeys": flood(client, packet(2, text(bytes(30000))) * 30)
        if behaviour == "debugBeforeKeys": flood(client, packet(4, b"\0" + text(b"") + text(b"")) * 30000)

    def encrypted(client):
        transport = paramiko.Transport(client)
        transport.add_server_key(paramiko.Ed25519Key.from_private_key_file(key))

        def message(kind, *content):
            made = paramiko.Message()
            made.add_byte(bytes([kind]))
            for piece in content: made.add_bytes(piece)
            return made

        def send(kind, *content): transport._send_message(message(kind, *content))

        def endless(kind, *content):
            while True: send(kind, *content)

        def disturb(channel):
            number = struct.pack(">I", channel.remote_chanid)
            if behaviour == "ignoreWhileRunning": endless(2, text(bytes(30000)))
            if behaviour == "dripWhileRunning":
                while True: send(2, text(b"x")); time.sleep(0.05)
            if behaviour == "unknownWhileRunning": endless(200, bytes(30000))
            if behaviour == "outputBeyondWindow": endless(94, number, text(b"x"))
            if behaviour == "outputWithoutEnd":
                while True: channel.sendall(bytes(30000))
            if behaviour == "errorsWithoutEnd":
                while True: channel.sendall_stderr(bytes(30000))
            if behaviour == "hangUpWhileRunning":
                client.sendall(os.urandom(20)); client.close()

        class Server(paramiko.ServerInterface):
            def get_allowed_auths(self, user): return "publickey"
            def check_auth_publickey(self, user, key):
                if behaviour == "silenceDuringLogin": time.sleep(3600)
                if behaviour == "ignoreDuringLogin": endless(2, text(bytes(30000)))
                return paramiko.AUTH_SUCCESSFUL
            def check_channel_request(self, kind, number):
                if behaviour == "silenceAtOpening": time.sleep(3600)
                if behaviour == "ignoreAtOpening": endless(2, text(bytes(30000)))
                return paramiko.OPEN_SUCCEEDED
            def check_channel_exec_request(self, channel, command):
                def run():
                    time.sleep(0.1)
                    try: disturb(channel)
                    except Exception: pass
                threading.Thread(target=run, daemon=True).start()
                return True
        transport.start_server(server=Server())
        transport.join()

    def serve(client):
        try:
            plain(client)
            if behaviour != "hangUpAfterVersion": encrypted(client)
        except Exception: pass
        finally: client.close()

    PLAIN = ("textBeforeVersion", "endlessVersion", "drippingVersion", "silence", "silenceAfterVersion", "hangUpAfterVersion",
             "ignoreBeforeKeys", "debugBeforeKeys")
    if behaviour not in PLAIN:
        import paramiko
        plain = lambda client: None
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()
    """#

  fileprivate init(_ child: Child, key: String) throws {
    let port = try child.waitFor("port", on: .output, seconds: 30) { Child.line(after: "port ", in: $0) }
    guard let number = UInt16(port) else { throw PeerError("no port: \(port)") }
    self.port = number
    fingerprint = try SSHKey.fingerprint(key + ".pub")
  }
}

/// Runs `body` with a server that misbehaves, and ends it afterwards.
package func withHostileSSHServer<Value>(
  _ behaviour: HostileSSHServer.Behaviour, _ body: (HostileSSHServer) async throws -> Value
) async throws -> Value {
  try await withScratchDirectory { scratch in
    let key = scratch + "/host"
    try SSHKey.make(key)
    // Debian's own Python has paramiko.
    return try await withChild(["/usr/bin/python3", "-c", HostileSSHServer.program, behaviour.rawValue, key]) {
      try await body(try HostileSSHServer($0, key: key))
    }
  }
}
