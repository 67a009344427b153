// For deploy/check-dead-code: what is marked "dead" is to be found, and nothing else.
@main
struct Program {
  static func main() {
    print(Greeting(name: "world"), Greeting.Kind(rawValue: "loud") ?? .plain)
    print(shortest(["two", "three"] + CommandLine.arguments.map { Word($0) }) ?? "", alive())
  }

  static func alive() -> Int { 1 }
  static func forgotten() -> Int { helper() }  // dead
  private static func helper() -> Int { forgotten() }  // dead
  static let unread = 7  // dead
}

struct Greeting: CustomStringConvertible, Codable {
  var version = 1
  let name: String
  var description: String { "hello \(name)" }
  var shouted: String { name.uppercased() }  // dead

  init(name: String) { self.name = name }
  init(twice name: String) { self.name = name + name }  // dead
}

extension Greeting {
  enum Kind: String { case plain, loud }
  func tested() -> Int { 2 }  // dead
}
