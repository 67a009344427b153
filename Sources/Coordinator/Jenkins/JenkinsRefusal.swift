import BuildModel
import FoundationEssentials

/// Why a job has no request: what `deploy-jenkins/index.json` says where the farm could not begin one.
///
/// Its members are those of ``IndexDocument`` with the same names, so that one reader serves both.
package struct JenkinsRefusal: Encodable, Hashable, Sendable {
  package let version = 1
  /// Always nil: there is no request.
  package let request: RequestID? = nil
  /// Always empty.
  package let deviceTypes: [String] = []
  /// Whose fault it is.
  package let blames: [Blame]
  package let reason: String

  package init(_ error: any BlamedError) {
    blames = [error.blame]
    reason = "\(error)"
  }

  private enum CodingKeys: String, CodingKey { case version, request, deviceTypes, blames, reason }

  /// Absent values are explicit nulls, as in an index.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(version, forKey: .version)
    try container.encode(request, forKey: .request)
    try container.encode(deviceTypes, forKey: .deviceTypes)
    try container.encode(blames, forKey: .blames)
    try container.encode(reason, forKey: .reason)
  }
}
