import BuildModel
import Glibc

/// Configuration that bitbake reads last (`-R`), so that a build says its PACKAGE_ARCHS in its header and need not be asked in a run of its own.
///
/// All runs of an attempt get it: with another configuration bitbake would parse everything again.
enum PostReadFile {
  /// Below the work tree.
  static let path = "build/blockfarm-post.conf"

  /// The first line is what the class base.bbclass sets where nothing else did, for our own would keep it from doing so.
  static let text = """
    BUILDCFG_VARS ?= "BB_VERSION BUILD_SYS NATIVELSBSTRING TARGET_SYS MACHINE DISTRO DISTRO_VERSION TUNE_FEATURES TARGET_FPU"
    BUILDCFG_VARS += "PACKAGE_ARCHS PACKAGE_CLASSES"

    """

  static func write(in tree: String) throws(YoctoError) {
    if mkdir(tree + "/build", 0o755) != 0, errno != EEXIST { throw .system(operation: "mkdir", path: tree + "/build", errno: errno) }
    let file = "\(tree)/\(path)"
    guard let handle = fopen(file, "we") else { throw .system(operation: "create", path: file, errno: errno) }
    let isWritten = fputs(text, handle) >= 0
    guard fclose(handle) == 0, isWritten else { throw .system(operation: "write", path: file, errno: errno) }
  }

  /// Words for bitbake, where the tree is seen at `tree`. None where the run has words of its own for it, of which only the last ones may count, and
  /// for a path that the wrapper would split.
  static func words(for run: BitbakeRun, tree: String) -> [String] {
    guard !run.arguments.contains("--bitbake-args"), !tree.contains(where: \.isWhitespace) else { return [] }
    return ["-R", "\(tree)/\(path)"]
  }
}
