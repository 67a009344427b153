/// What a worker verb still writes when its answer is known. It is thrown away, but not for ever.
struct UnreadOutput {
  private static let limit = 16 << 20

  let hostName: String
  private var count = 0

  init(hostName: String) { self.hostName = hostName }

  mutating func drop(_ piece: [UInt8]) throws(ExecutorError) {
    count += piece.count
    if count > Self.limit { throw .malformed(host: hostName, what: "more than \(Self.limit >> 20) MiB after the end of its answer") }
  }
}
