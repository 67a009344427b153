/// Why a tar, or what is in it, is refused. Whoever reads it adds which one it was.
struct TarFault: Error {
  /// A clause that goes after "<the archive> is malformed: ".
  let reason: String
  init(_ reason: String) { self.reason = reason }
}
