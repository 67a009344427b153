import Glibc

/// Descriptors that whoever started this program left open for it, knowingly or not.
package enum InheritedDescriptors {
  /// Keeps all of them but the standard streams from programs that this one starts. A detached runner that held somebody's pipe would keep
  /// that pipe's reader waiting for as long as the build takes.
  package static func keepFromChildren() {
    guard let handle = opendir("/proc/self/fd") else { return }
    defer { closedir(handle) }
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }
  }
}
