import FoundationEssentials
import TestFiles

/// Python's own http.server over a directory, with a log of what was asked and, for single paths, a fault.
package struct FileServer: Sendable {
  package let url: String
  private let child: Child
  private let log: String
  private let faults: String

  /// It answers If-Modified-Since. `truncate` sends half of what the length says; a number is the status of the answer.
  fileprivate static let program = #"""
    import functools, http.server, sys
    root, log, faults = sys.argv[1:]
    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *arguments): pass
        def log_request(self, code="-", size="-"):
            with open(log, "a") as file: file.write(f"{self.path} {int(code)}\n")
        def do_GET(self):
            fault = dict(line.split() for line in open(faults)).get(self.path)
            if fault == "truncate":
                data = open(root + self.path, "rb").read()
                self.send_response(200); self.send_header("Content-Length", str(len(data))); self.end_headers()
                self.wfile.write(data[:len(data) // 2]); self.close_connection = True
            elif fault: self.send_error(int(fault))
            else: super().do_GET()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=root))
    print("port", server.server_address[1], flush=True)
    server.serve_forever()
    """#

  fileprivate init(_ child: Child, log: String, faults: String) throws {
    let port = try child.waitFor("port", on: .output, seconds: 30) { Child.line(after: "port ", in: $0) }
    (url, self.child, self.log, self.faults) = ("http://127.0.0.1:\(port)", child, log, faults)
  }

  /// Ends it before its closure ends.
  package func stop() { child.end() }

  /// From now on, one fault per path.
  package func fault(_ faults: [String: String]) throws {
    try write(Array(faults.map { "\($0) \($1)\n" }.joined().utf8), to: self.faults)
  }

  /// What was asked since the last call: paths with the status of the answer, sorted.
  package func requests() throws -> [String] {
    let found = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map(String.init).sorted()
    try write([], to: log)
    return found
  }
}

/// Runs `body` with a server over a directory, and ends it afterwards.
package func withFileServer<Value>(over root: String, _ body: (FileServer) throws -> Value) throws -> Value {
  try withScratchDirectory { scratch in
    try withChild(try command(root, scratch)) { try body(try FileServer($0, log: scratch + "/requests", faults: scratch + "/faults")) }
  }
}

/// Runs `body` with a server over a directory, and ends it afterwards.
package func withFileServer<Value>(over root: String, _ body: (FileServer) async throws -> Value) async throws -> Value {
  try await withScratchDirectory { scratch in
    try await withChild(try command(root, scratch)) { try await body(try FileServer($0, log: scratch + "/requests", faults: scratch + "/faults")) }
  }
}

private func command(_ root: String, _ scratch: String) throws -> [String] {
  for name in ["requests", "faults"] { try write([], to: "\(scratch)/\(name)") }
  return ["python3", "-c", FileServer.program, root, scratch + "/requests", scratch + "/faults"]
}
