import BuildModel

/// What a waiting task needs of a host.
package struct TaskNeed: Hashable, Sendable {
  package var slug: Slug
  package var machine: Machine
  package var arch: Architecture
  package var features: Set<HostFeature>
  /// Bytes of free disk, see ``DiskNeed``.
  package var diskBytes: Int64
  package var queuedAt: Timestamp
  /// Seconds that earlier builds took; nil when there was none.
  package var expectedSeconds: Double?
  /// Hosts that failed this task for reasons of their own.
  package var avoid: Set<HostName>

  package init(
    slug: Slug, machine: Machine, arch: Architecture, features: Set<HostFeature>, diskBytes: Int64, queuedAt: Timestamp,
    expectedSeconds: Double?, avoid: Set<HostName>
  ) {
    self.slug = slug
    self.machine = machine
    self.arch = arch
    self.features = features
    self.diskBytes = diskBytes
    self.queuedAt = queuedAt
    self.expectedSeconds = expectedSeconds
    self.avoid = avoid
  }
}
