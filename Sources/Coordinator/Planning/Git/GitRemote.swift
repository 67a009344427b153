import BuildModel

/// The remote of a work tree that missing things are fetched from.
struct GitRemote: Hashable {
  let name: String

  /// The one that its branch follows, else `origin`, else the only one; nil where there is none, or several of which none is meant. Synchronous.
  static func find(in directory: String, repository: String) throws(PlanningError) -> GitRemote? {
    func lines(_ arguments: [String]) throws(PlanningError) -> [String] {
      let output = try GitCommand.run(arguments, in: directory, repository: repository)
      return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
    }
    let names = try lines(["remote"])
    guard names.count > 1 else { return names.first.map(GitRemote.init) }
    let branch = (try? lines(["symbolic-ref", "--quiet", "--short", "HEAD"]))?.first
    let followed = try branch.flatMap { name throws(PlanningError) in try lines(["config", "--default", "", "--get", "branch.\(name).remote"]).first }
    let found = [followed, "origin"].compactMap(\.self).first(where: names.contains)
    return found.map(GitRemote.init)
  }
}
