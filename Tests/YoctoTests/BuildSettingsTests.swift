import BuildModel
import Foundation
import TestFiles
import Testing
import Yocto

/// A request's choices on their way into each build wrapper.
struct BuildSettingsTests {
  private func place(tree: String = "/t", shared: String? = nil) throws -> BuildPlace {
    BuildPlace(
      machine: try Machine("board"), slug: try Slug("acme"), manifestFile: "acme-file", tree: tree, cache: "/c",
      settings: .init(
        isDevelopment: true, supervisorVersion: try SupervisorVersion("v12.11.0"), sharedDirectory: shared,
        variables: try AdditionalVariable.list(["B=2=3", "A="])))
  }
  private let words = ["-d", "--supervisor-version", "v12.11.0", "--additional-variable", "A=", "--additional-variable", "B=2=3"]

  private func withTree(_ wrapper: String, _ body: (String) throws -> Void) throws {
    try withScratchDirectory { tree in
      try FileManager.default.createDirectory(atPath: tree + "/balena-yocto-scripts/build", withIntermediateDirectories: true)
      try Data(wrapper.utf8).write(to: URL(filePath: tree + "/" + BarysCommand.path))
      try body(tree)
    }
  }

  /// Every run gets them, or the runs of one build would contradict each other. An option follows the values of `--bitbake-target`.
  @Test func barys() throws {
    let driver = BarysCommand(place: try place())
    for run in [BitbakeRun.targets([try RecipeName("a")]), .packages([]), .variables, .packageIndex] {
      let arguments = driver.arguments(run)
      #expect(
        arguments.suffix(13) == ["DEVICE_TYPE=acme-file"] + words + [
          "--shared-downloads", "/c/downloads", "--shared-sstate", "/c/sstate/board", "--rm-work",
        ])
    }
    let plain = BarysCommand(
      place: BuildPlace(machine: try Machine("board"), slug: try Slug("acme"), manifestFile: "acme-file", tree: "/t", cache: "/c"))
    #expect(plain.arguments(.packageIndex).count == driver.arguments(.packageIndex).count - words.count)
  }

  @Test func olderWrappersKnowAnotherName() throws {
    try withTree("case $1 in --supervisor-tag) ;; esac") { tree in
      let driver = BarysCommand(place: try place(tree: tree))
      #expect(driver.arguments(.variables).contains("--supervisor-tag"))
    }
    try withTree("case $1 in --supervisor-tag|--supervisor-version) ;; esac") { tree in
      let driver = BarysCommand(place: try place(tree: tree))
      #expect(driver.arguments(.variables).contains("--supervisor-version"))
    }
  }

  @Test func balenaBuild() throws {
    let arguments = BalenaBuildCommand(place: try place(shared: "/srv/yocto"), settings: .init()).arguments(.packageIndex)
    #expect(arguments.contains("-a DEVICE_TYPE=acme-file -d --supervisor-version v12.11.0 --additional-variable A= --additional-variable B=2=3"))
    #expect(arguments.prefix(4) == ["-d", "board", "-s", "/srv/yocto"])
  }

  @Test func ownCommand() throws {
    let settings = TaskSpec.OwnCommand(build: try CommandTemplate(["make", "{arguments}", "DL={downloads}"]), architectures: .fixed(["all"]))
    let command = try #require(OwnCommand(place: try place(shared: "/srv/yocto"), settings: settings).command(.packageIndex, environment: [:]))
    #expect(command.arguments == words + ["DL=/srv/yocto/shared-downloads"])
  }

  /// The layout of YOCTO_DIR, made where it is missing.
  @Test func sharedDirectory() throws {
    try withTree("") { tree in
      let driver = BarysCommand(place: try place(tree: tree, shared: tree + "/yocto"))
      for _ in 0..<2 { try driver.prepare() }
      #expect(driver.arguments(.variables).contains(tree + "/yocto/board/sstate"))
      for path in ["shared-downloads", "board/sstate"] { #expect(FileManager.default.fileExists(atPath: "\(tree)/yocto/\(path)")) }
    }
  }

  @Test func directories() {
    for path in ["/srv/yocto", "/a..b"] { #expect(TaskSpec.Settings.isDirectory(path), "\(path)") }
    for path in ["", "srv", "/srv/my yocto", "/srv/../etc", "/a\n"] { #expect(!TaskSpec.Settings.isDirectory(path), "\(path)") }
  }
}
