/// The resources of the API by name, and how their rows reach each other.
package struct CloudModel: Sendable {
  /// What a name leads to from a row.
  enum Navigation {
    /// The row that the field names.
    case forward(CloudResource.Field, CloudResource)
    /// The rows whose field names this one.
    case reverse(CloudResource, CloudResource.Field)

    var target: CloudResource {
      switch self {
      case .forward(_, let resource), .reverse(let resource, _): resource
      }
    }
  }

  package static let balena = CloudModel(CloudModel.accountResources + CloudModel.applicationResources + CloudModel.releaseResources)

  private let resources: [String: CloudResource]
  private let canonical: [String: String]
  /// By resource, then by name.
  private let reverse: [String: [String: (resource: String, field: String)]]

  private init(_ list: [CloudResource]) {
    resources = Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0) })
    canonical = Dictionary(uniqueKeysWithValues: list.flatMap { resource in ([resource.name] + resource.aliases).map { ($0, resource.name) } })
    var reverse: [String: [String: (resource: String, field: String)]] = [:]
    for resource in list {
      for field in resource.fields {
        guard case .reference(let target, let names, _) = field.kind else { continue }
        for name in names { reverse[target, default: [:]][name] = (resource.name, field.name) }
      }
    }
    self.reverse = reverse
  }

  /// A resource of which the name is known to exist.
  package subscript(_ name: String) -> CloudResource {
    guard let resource = resources[name] else { preconditionFailure("the model has no \(name)") }
    return resource
  }

  var names: some Sequence<String> { resources.keys }

  /// What a URL names; nil for unknown names and for what this version does not have.
  func resource(_ name: String, in version: APIVersion) -> CloudResource? {
    if name == "my_application" { return version == .v6 ? self["application"] : nil }
    guard let known = canonical[name], version != .v6 || known != "release_asset" else { return nil }
    return self[known]
  }

  func navigation(_ name: String, from resource: CloudResource) -> Navigation? {
    if let field = resource.field(name), let target = field.referenced { return .forward(field, self[target]) }
    if let found = reverse[resource.name]?[name], let field = self[found.resource].field(found.field) {
      return .reverse(self[found.resource], field)
    }
    return nil
  }

  /// All fields anywhere that name rows of this resource.
  func references(to name: String) -> [(resource: CloudResource, field: CloudResource.Field, whenDeleted: CloudResource.Deletion)] {
    resources.values.sorted { $0.name < $1.name }.flatMap { resource in
      resource.fields.compactMap { field in
        guard case .reference(name, _, let deletion) = field.kind else { return nil }
        return (resource, field, deletion)
      }
    }
  }
}
