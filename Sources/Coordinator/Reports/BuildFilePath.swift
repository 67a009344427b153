import BuildModel

/// Where a build's own files lie in a device type's directory of the deploy tree: below `deploy-jenkins/`, as Jenkins jobs know them.
package enum BuildFilePath {
  private static let directory = "deploy-jenkins/"

  /// nil where the whole would be longer than a path may be.
  package static func placed(_ path: RelativePath) -> RelativePath? { RelativePath(directory + path.text) }

  /// The build's own path of a file there; nil for a file that lies elsewhere.
  package static func own(_ path: RelativePath) -> RelativePath? {
    path.text.hasPrefix(directory) ? RelativePath(path.text.dropFirst(directory.count)) : nil
  }
}
