import BuildModel
import Processes

/// What git prints when it fails, cut down to its cause. Pure.
struct GitComplaint {
  /// The beginning of what git prints, where the cause stands, and its end, where the consequences stand. In bytes.
  private static let (headLimit, tailLimit) = (4096, 2048)
  /// Characters of a reason, and of one line in it.
  private static let (reasonLimit, lineLimit) = (600, 300)
  /// Lines that are no cause: advice, progress, and the sentence that git adds whatever went wrong over SSH.
  private static let noise = [
    "hint:", "warning:", "note:", "Please make sure you have", "and the repository exists.", "Cloning into", "Submodule path '", "Submodule '",
    "From ",
    "Failed to clone '", "Unable to checkout '", "Aborting", "Warning: Permanently added", "usage:", "remote: Enumerating", "remote: Counting",
    "remote: Compressing", "remote: Total",
  ]
  private static let marks = ["fatal: ", "error: ", "remote: ", "ERROR: "]

  private var head: [UInt8] = []
  private var tail = OutputTail(limit: tailLimit)

  mutating func append(_ piece: [UInt8]) {
    // ssh ends its lines with a carriage return, too, and progress is overwritten with one.
    let piece = piece.map { $0 == UInt8(ascii: "\r") ? UInt8(ascii: "\n") : $0 }
    let room = max(0, Self.headLimit - head.count)
    head += piece.prefix(room)
    if piece.count > room { tail.append(piece.dropFirst(room)) }
  }

  /// The lines that name what is wrong, the cause first, each once, on one line; nil where git said nothing. Nothing in it reaches a terminal as a
  /// command.
  var reason: String? {
    let lines = (Self.lines(OutputTail.printable(head)) + Self.lines(tail.text)).filter { line in !Self.noise.contains { line.hasPrefix($0) } }
    var told: [String] = []
    for line in lines {
      let text = Self.withoutMarks(line)
      // What repeats an earlier line in other words ("remote: Repository not found." and "repository … not found") stays; the same words do not.
      if !text.isEmpty, !told.contains(text) { told.append(text) }
    }
    guard !told.isEmpty else { return nil }
    let shown = told.count > 4 ? told.prefix(3) + told.suffix(1) : told[...]
    let reason = shown.joined(separator: "; ")
    return reason.count > Self.reasonLimit ? reason.prefix(Self.reasonLimit) + "…" : reason
  }

  /// Whether the disk of this machine is what is wrong.
  var isOutOfSpace: Bool {
    [OutputTail.printable(head), tail.text].contains { text in
      ["No space left on device", "Disk quota exceeded"].contains { text.contains($0) }
    }
  }

  /// What is to blame for not reaching the remote; nil where the remote was reached. An unknown name may be the name server's fault, the network's or
  /// the URL's; mostly a server is down.
  var unreachable: Blame? {
    let text = OutputTail.printable(head) + "\n" + tail.text
    func says(_ marks: [String]) -> Bool { marks.contains { text.contains($0) } }
    if says(["Network is unreachable", "Temporary failure in name resolution"]) { return .coordinator }
    let marks = [
      "Could not resolve host", "Name or service not known", "Connection refused", "Connection timed out", "Operation timed out", "Connection reset",
      "Connection closed by", "No route to host", "Failed to connect to", "Couldn't connect to server", "unable to connect to",
      "Empty reply from server",
      "returned error: 5", "The remote end hung up unexpectedly", "early EOF", "SSL_ERROR", "gnutls_handshake() failed",
    ]
    return says(marks) ? .cloud : nil
  }

  private static func lines(_ text: String) -> [String] {
    text.split { $0.isNewline }.map { line in
      String(line.drop { $0 == " " || $0 == "\t" }.prefix(lineLimit))
    }
  }

  private static func withoutMarks(_ line: String) -> String {
    var rest = line[...]
    while let mark = marks.first(where: { rest.hasPrefix($0) }) { rest = rest.dropFirst(mark.count) }
    return String(rest)
  }
}
