import Testing

/// The audit log as the program writes and shows it.
struct AuditCommandTests {
  /// The program takes its variables out of its environment; where somebody came from is known all the same.
  @Test func whoAskedAndFromWhere() throws {
    let farm = try SampleFarm()
    let resumed = try farm.start(
      ["worker", "resume", "local"], variables: ["SSH_CONNECTION": "192.0.2.7 40000 192.0.2.1 22", "BUILD_URL": "https://ci.example/job/1/"]
    ).wait()
    try #require(resumed.status == 0, "\(resumed)")
    let entry = try JSON(farm.run("audit", "--json").output)["entries"][0]
    #expect(entry["action"].text == "worker-resume" && entry["subjects"][0].text == "local", "\(entry)")
    #expect(entry["origin"].text == "jenkins https://ci.example/job/1/, ssh 192.0.2.7", "\(entry)")
    let checked = try farm.run("audit", "--check")
    #expect(checked.status == 0 && checked.output == "1 entry, none changed or removed\n", "\(checked)")
  }
}
