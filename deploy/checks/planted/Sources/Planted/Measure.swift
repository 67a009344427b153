protocol Measured {
  var length: Int { get }
  var weight: Int { get }  // dead
}

struct Word: Measured, ExpressibleByStringLiteral {
  let text: String
  init(_ text: String) { self.text = text }
  init(stringLiteral text: String) { self.text = text }
}

extension Word {
  var length: Int { text.count }
  var weight: Int { text.count }  // dead
}

func shortest(_ words: [Word]) -> String? { words.min { least($0) < least($1) }?.text }
private func least(_ measured: some Measured) -> Int { measured.length }

/// Names itself only.
struct Chain {  // dead
  var next: [Chain] = []
  func length() -> Int { next.map { $0.length() }.max() ?? 0 }
}
