import Foundation
import Testing

/// Python's own http.server over a directory, with a log of what was asked and, for single paths, a fault.
final class FeedServer: @unchecked Sendable {
  private let process = Process()
  private let log: String
  private let faults: String
  let url: String

  /// Answers If-Modified-Since as http.server does; `truncate` sends half of what the length says, a number is the status of the answer.
  private static let program = #"""
    import functools, http.server, io, os, sys
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
    print(server.server_address[1], flush=True)
    server.serve_forever()
    """#

  init(root: String, scratch: String) throws {
    log = scratch + "/requests"
    faults = scratch + "/faults"
    for file in [log, faults] { try Data().write(to: URL(fileURLWithPath: file)) }
    try Data(Self.program.utf8).write(to: URL(fileURLWithPath: scratch + "/server.py"))
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = [scratch + "/server.py", root, log, faults]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    var line: [UInt8] = []
    while line.last != 10, let byte = try pipe.fileHandleForReading.read(upToCount: 1)?.first { line.append(byte) }
    url = "http://127.0.0.1:\(String(decoding: line.dropLast(), as: UTF8.self))"
  }

  func stop() {
    // Children of test threads are born with every other signal blocked.
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }

  /// From now on; one fault a path.
  func fault(_ faults: [String: String]) throws {
    try Data(faults.map { "\($0) \($1)\n" }.joined().utf8).write(to: URL(fileURLWithPath: self.faults))
  }

  /// What was asked since the last call: paths with the status of the answer, sorted.
  func requests() throws -> [String] {
    let found = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map(String.init).sorted()
    try Data().write(to: URL(fileURLWithPath: log))
    return found
  }
}
