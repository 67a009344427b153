import BuildModel
import TestFiles
import TestGolden
import Testing

@testable import Planning

@Suite struct ContractTests {
  @Test func readsTheThirdGeneration() throws {
    let contract = try Contract.parse(Fixtures().bytes("contracts/balenaos-contracts/contracts/sw.image/tegra-gpu/contract.json"), file: "f")
    #expect(contract.isBlock && contract.imageClass == "overlay")
    #expect(contract.recipes.count == 9 && contract.packages.count == 6)
    #expect(contract.recipes.first == "tegra-libraries" && contract.packages.first == "libelf")
    #expect(contract.requires.count == 1 && contract.requires[0].anyOf.count == 2 && contract.requires[0].allOf.count == 2)
  }

  @Test(arguments: [("overlay", "1"), ("service", "0")])
  func readsDefaults(_ name: String, _ reboot: String) throws {
    let contract = try Contract.parse(Fixtures().bytes("contracts/balenaos-contracts/contracts/sw.image/\(name)/contract.json"), file: "f")
    #expect(!contract.isBlock && contract.store == "data" && contract.rebootRequired == reboot)
  }

  @Test func readsEveryRealContract() throws {
    var read = 0
    func visit(_ directory: String) throws {
      for name in try RepositoryFiles.names(directory) {
        let path = directory + "/" + name
        if RepositoryFiles.isDirectory(path) {
          try visit(path)
        } else {
          #expect(!(try Contract.parse(RepositoryFiles.contents(path), file: path)).slug.isEmpty)
          read += 1
        }
      }
    }
    for set in ["balenaos-contracts", "balenaos-contracts-2021-03", "balenaos-contracts-2020-11", "balena-io-contracts"] {
      try visit(Fixtures().path("contracts/" + set))
    }
    #expect(read == 49)
  }

  @Test func otherContractsMayHaveAnyForm() throws {
    let text = #"{"slug": "a", "type": "sw.stack", "requires": {"or": "anything"}, "composedOf": 3, "data": [], "aliases": 0}"#
    #expect(try Contract.parse(Array(text.utf8), file: "f").requires.isEmpty)
  }

  @Test(arguments: [("true", "1"), ("false", "0"), ("\"1\"", "1"), ("null", nil)] as [(String, String?)])
  func readsReboot(_ value: String, _ expected: String?) throws {
    let text = #"{"slug": "a", "type": "sw.image.overlay", "data": {"reboot-required": \#(value), "store": "root"}}"#
    let contract = try Contract.parse(Array(text.utf8), file: "f")
    #expect(contract.rebootRequired == expected && contract.store == "root")
  }

  @Test(arguments: [
    ("not-json", "{\n  \"slug\": \"a\",\n  \"type\" }"), ("no-slug", "{\"type\": \"sw.image.overlay\"}"),
    ("bad-requires", "{\"slug\": \"a\", \"type\": \"sw.image.overlay\", \"requires\": {\"anyOf\": []}}"),
    ("bad-reboot", "{\"slug\": \"a\", \"type\": \"sw.image.overlay\", \"data\": {\"reboot-required\": \"maybe\"}}"),
    ("empty", ""),
  ])
  func namesTheFile(_ name: String, _ text: String) throws {
    let error = #expect(throws: PlanningError.self) { try Contract.parse(Array(text.utf8), file: "contracts/a/contract.json") }
    try Golden.checkDescription("contract-\(name)", error)
  }
}
