import BuildModel

/// `index.json` of a request's deploy tree: what became of every device type.
package struct IndexDocument: Codable, Hashable, Sendable {
  /// Always 1.
  package var version = 1
  package var request: RequestID
  package var deviceTypes: [DeviceTypeReport]
  /// Whose fault the failures are, each party once; nil in a document of an earlier blockfarm.
  package var blames: [Blame]?
  /// What the request added to the builds' local.conf; nil where it added nothing.
  package var additionalVariables: [AdditionalVariable]?
  /// What was asked for and could not be read (repositories, manifests, contracts), so that nobody knows its device types; nil where all could be read.
  package var problems: [String]?

  /// In bytes. A file of a real feed takes about 180, and a night of 144 device types has 230,000 of them.
  package static let sizeLimit = 512 << 20

  package init(
    request: RequestID, deviceTypes: [DeviceTypeReport], additionalVariables: [AdditionalVariable] = [], problems: [String] = []
  ) {
    self.problems = problems.isEmpty ? nil : problems
    self.request = request
    self.additionalVariables = additionalVariables.isEmpty ? nil : additionalVariables
    let blamed = Set(deviceTypes.filter { $0.outcome == .failed }.compactMap(\.blame))
    blames = Blame.allCases.filter(blamed.contains)
    self.deviceTypes = deviceTypes.sorted { $0.slug < $1.slug }
  }
}
