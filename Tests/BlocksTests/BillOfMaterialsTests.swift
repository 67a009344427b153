import BuildModel
import Foundation
import TestFiles
import TestPeers
import Testing

@testable import Blocks

@Suite struct BillOfMaterialsTests {
  static let expressions: [(String?, String)] = [
    ("MIT", "MIT"), ("mit", "MIT"), ("GPL-2.0-only & LGPL-2.1-or-later", "GPL-2.0-only AND LGPL-2.1-or-later"),
    ("GPLv2+ | (MIT & BSD-3-Clause)", "GPL-2.0-or-later OR (MIT AND BSD-3-Clause)"), ("GPLv2 LGPLv2.1+", "GPL-2.0-only AND LGPL-2.1-or-later"),
    ("GPL-2.0", "GPL-2.0-only"), ("LGPL-2+", "LGPL-2.0-or-later"), ("AGPL-3.0+", "AGPL-3.0-or-later"), ("GPLv3", "GPL-3.0-only"),
    ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"), ("MIT AND Zlib", "MIT AND Zlib"), ("PSFv2", "PSF-2.0"),
    ("CLOSED", "LicenseRef-CLOSED"), ("Acme_Proprietary+", "LicenseRef-Acme-Proprietary-"), ("GPL-9.0", "LicenseRef-GPL-9.0"),
    (nil, "NOASSERTION"), ("", "NOASSERTION"), ("MIT &", "NOASSERTION"), ("(MIT", "NOASSERTION"), ("MIT)", "NOASSERTION"), ("& MIT", "NOASSERTION"),
    ("MIT WITH nothing", "NOASSERTION"), ("()", "NOASSERTION"), (String(repeating: "(", count: 5000) + "MIT", "NOASSERTION"),
  ]

  @Test func licences() {
    for (field, expected) in Self.expressions {
      var expressions = LicenseExpressions()
      #expect(expressions.expression(field) == expected, "\(field ?? "nil")")
    }
    var two = LicenseExpressions()
    #expect(two.expression("A_B & A-B | A_B") == "LicenseRef-A-B AND LicenseRef-A-B-2 OR LicenseRef-A-B")
    #expect(two.references == ["LicenseRef-A-B": "A_B", "LicenseRef-A-B-2": "A-B"])
  }

  static let hasJudge = (try? Tool.run("pyspdxtools", "--help")) != nil

  /// A block whose packages have every licence of the table, and names that SPDX identifiers may not hold.
  func document(in scratch: String) throws -> [UInt8] {
    struct Package: Encodable {
      var name: String
      var version = "1:1.0+git~1"
      var arch = "all"
      var license: String?
      var entries: [String] = []
    }
    let packages = Self.expressions.enumerated().map { Package(name: "lib_c++.\($0)", license: $1.0.map { String($0.prefix(500)) }) }
    let feed = try TestFeed(in: scratch, description: String(decoding: try JSONEncoder().encode(packages), as: UTF8.self))
    let result = try feed.assemble(TestFeed.spec(packages.map(\.name)), in: scratch + "/work").0
    let bytes = try BillOfMaterials(result, epoch: TestFeed.epoch).bytes()
    #expect(bytes == (try BillOfMaterials(result, epoch: TestFeed.epoch).bytes()))
    return bytes
  }

  /// spdx-tools (PyPI) is the judge; `deploy/install-spdx-tools` brings it.
  @Test(.enabled(if: hasJudge, "pyspdxtools is not installed")) func isValid() throws {
    try withScratchDirectory { scratch in
      try Data(try document(in: scratch)).write(to: URL(filePath: scratch + "/block.spdx.json"))
      try Tool.run("pyspdxtools", "-i", scratch + "/block.spdx.json")
    }
  }

  @Test func saysWhatTheIndexSays() throws {
    try withScratchDirectory { scratch in
      struct Document: Decodable {
        struct Package: Decodable {
          var name: String
          var versionInfo: String?
          var licenseDeclared: String
          var sourceInfo: String?
        }
        struct Creation: Decodable { var created: String }
        var packages: [Package]
        var documentNamespace: String
        var creationInfo: Creation
      }
      let found = try JSONDecoder().decode(Document.self, from: Data(try document(in: scratch)))
      #expect(found.creationInfo.created == "2023-11-14T22:13:20Z")
      #expect(found.packages.count == Self.expressions.count + 1)
      #expect(found.packages[3].licenseDeclared == "GPL-2.0-only AND LGPL-2.1-or-later")
      #expect(found.packages[3].versionInfo == "1:1.0+git~1")
      #expect(found.packages[3].sourceInfo?.contains("lib_c++.2") == true)
    }
  }
}
