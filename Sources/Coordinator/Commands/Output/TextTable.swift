/// Left-aligned columns for people.
struct TextTable {
  var header: [String]
  var rows: [[String]] = []

  init(_ header: [String]) { self.header = header }

  func text() -> String {
    let lines = [header] + rows
    var widths = [Int](repeating: 0, count: header.count)
    for line in lines {
      for (index, cell) in line.enumerated() where index < widths.count { widths[index] = max(widths[index], cell.count) }
    }
    return lines.map { line in
      var padded = ""
      for (index, cell) in line.enumerated() {
        padded += index == line.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count + 2)
      }
      return padded
    }.joined(separator: "\n")
  }
}
