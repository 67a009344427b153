import BuildModel
import Publishing
import Testing

/// Applications' names and what the server accepts as one.
struct NameTests {
  @Test(arguments: [
    (ApplicationRole.hostapp, false, "balena_os/raspberrypi4-64"), (.hostapp, true, "balena_os/raspberrypi4-64-esr"),
    (.hostOS, false, "balena_os/raspberrypi4-64-hostos"), (.hostOS, true, "balena_os/raspberrypi4-64-hostos-esr"),
  ])
  func namesApplicationsOfADeviceType(role: ApplicationRole, isESR: Bool, slug: String) throws {
    #expect(try ApplicationName(organization: "balena_os", slug: Slug("raspberrypi4-64"), role: role, isESR: isESR).slug == slug)
  }

  @Test func namesABlocksApplication() throws {
    let role = ApplicationRole.block(try BlockName("Mesa_GL"))
    let name = try ApplicationName(organization: "lab1", slug: Slug("intel-nuc"), role: role, isESR: true)
    #expect(name.name == "intel-nuc-Mesa_GL-esr")
    #expect(name.slug == "lab1/intel-nuc-mesa_gl-esr")
  }

  @Test(arguments: [
    ("balena_os", "a.b-c", "'.' is not allowed"), ("balena_os", "abc", "it has 3 characters; 4 to 100 are allowed"),
    ("balena_os", String(repeating: "a", count: 101), "101 characters"), ("Balena", "abcd", "lower-case letters, digits and '_'"),
    ("", "abcd", "a handle has"), ("a/b", "abcd", "a handle has"), ("balena_os", "naïve", "'ï' is not allowed"),
  ])
  func refusesWhatTheServerWouldRefuse(organization: String, name: String, reason: String) {
    #expect(complaint { try ApplicationName(organization: organization, name: name) }.contains(reason))
  }

  @Test(arguments: [
    ("2.60.1", true), ("2.60.1+rev4", true), ("2.60.1-beta.1+build.01", true), ("0.0.1", true), ("2023.01.0", false), ("02.1.1", false),
    ("2.60", false), ("2.60.1-01", false), ("2.60.1-a..b", false), ("2.60.1+", false), ("v2.60.1", false), ("2.60.1-1a", true),
    ("9007199254740992.1.1", false), ("2.60.1+rév", false),
  ])
  func knowsStrictVersions(text: String, isStrict: Bool) {
    #expect(ReleaseVersion.isStrict(text) == isStrict)
  }

  @Test(
    arguments: [
      ("2.60.1", [], "2.60.1"), ("2.60.1", [0], nil), ("2.60.1+rev1", [], nil), ("2.60.1+rev1", [0], "2.60.1+rev1"),
      ("2.60.1+rev4", [0, 1, 2], nil), ("2.60.1+rev4", [3, 0], "2.60.1+rev4"), ("2.60.1+rev04", [0, 1, 2, 3], nil), ("2023.01.0", [], nil),
      ("2023.1.0", [], "2023.1.0"), ("2.0.0-rc1+rev2", [0, 1], "2.0.0-rc1+rev2"), ("1.3.1+build.2", [], "1.3.1+build.2"),
      ("2.60.1+rev1.rev2", [0], nil),
    ] as [(String, [Int], String?)])
  func postsOnlyWhatTheServerWouldNumberTheSame(text: String, revisions: [Int], expected: String?) throws {
    let version = ReleaseVersion(try #require(OSVersion(text)))
    #expect(version.posted(revisions: revisions) == expected)
  }
}
