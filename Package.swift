// swift-tools-version: 6.2
import PackageDescription

// One room a target: this file is the diagram, and building with
// `--explicit-target-dependency-import-check error` keeps it true.

/// Warnings are errors where the CI variable is set; a newer compiler's new warning stops nobody else.
let warnings: [SwiftSetting] = Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)]

/// deploy/fuzz sets it to the toolchain's libFuzzer: every room is built for it then, and there is one more program. Nothing of it is there otherwise.
let fuzzer = Context.environment["BLOCKFARM_FUZZER"]
let settings = warnings + (fuzzer == nil ? [] : [.unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing"])])

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")

/// A room of one of the programs, or of both.
func room(_ program: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/\(program)/\(name)", swiftSettings: settings)
}

/// A C library: module map and shims, nothing else.
func library(_ name: String, _ pkgConfig: String, apt: String) -> Target {
  .systemLibrary(name: name, path: "Sources/Shared/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// Tests mirror the rooms.
func tests(
  _ room: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], copy: [String] = []
) -> Target {
  .testTarget(
    name: room + "Tests", dependencies: [.byName(name: room)] + dependencies, path: "Tests/\(room)Tests", exclude: exclude,
    resources: copy.map { .copy($0) }, swiftSettings: settings)
}

let shared: [Target] = [
  // Values only: what is built, for what, and how it ended.
  room("Shared", "BuildModel"),
  // Content-addressed store on disk.
  room("Shared", "BlobStore", ["BuildModel", crypto]),
  // Manifests, configs, layers, image layouts, docker-archives.
  room("Shared", "OCIImage", ["BuildModel", "BlobStore", "CDeflate", "CZlib", crypto]),
  // ipk packages, indexes, feeds.
  room("Shared", "Feed", ["BuildModel", "BlobStore", "CArchive", crypto]),
  // From a feed to a reproducible block, and back to a verdict.
  room("Shared", "Blocks", ["BuildModel", "BlobStore", "OCIImage", "Feed", crypto]),
  library("CSSH2", "libssh2", apt: "libssh2-1-dev"),
  library("CCurl", "libcurl", apt: "libcurl4-openssl-dev"),
  library("CArchive", "libarchive", apt: "libarchive-dev"),
  library("CDeflate", "libdeflate", apt: "libdeflate-dev"),
  library("CZlib", "zlib", apt: "zlib1g-dev"),
  library("CExt2FS", "ext2fs", apt: "libext2fs-dev"),
]

let coordinator: [Target] = [
  // farm.yaml and workers.d.
  // The module has a longer name than its room: swift-configuration, which Hummingbird's package knows, has a target Configuration.
  .target(
    name: "CoordinatorConfiguration", dependencies: ["BuildModel", .product(name: "Yams", package: "Yams")],
    path: "Sources/Coordinator/Configuration", swiftSettings: settings),
  // Device repositories, contracts, compositions, versions: from a request to a plan.
  room("Coordinator", "Planning", ["BuildModel", crypto, .product(name: "Yams", package: "Yams")]),
  // Hosts, tasks and the time: from values to decisions.
  room("Coordinator", "Scheduling", ["BuildModel"]),
  // The journal of requests, tasks, attempts and events, in SQLite.
  room("Coordinator", "Store", ["BuildModel", .product(name: "GRDB", package: "GRDB.swift")]),
  // How workers are reached: SSH and child processes.
  room("Coordinator", "Executors", ["BuildModel", "BlobStore", "CSSH2", crypto]),
  // HTTP, and the services that are spoken to by it.
  room("Coordinator", "Cloud", ["BuildModel", "BlobStore", "OCIImage", "CCurl", crypto]),
  // Feeds that are somewhere else: into the blob store, checked.
  room("Coordinator", "RemoteFeed", ["BuildModel", "BlobStore", "Feed", "Cloud", crypto]),
  // Applications, releases and their assets on balenaCloud; the deploy tree on S3.
  room("Coordinator", "Publishing", ["BuildModel", "BlobStore", "OCIImage", "Cloud", "CZlib", crypto]),
  // Blocks into the data partition of disk images.
  room("Coordinator", "Preload", ["BuildModel", "CDeflate", "CZlib", "CExt2FS", crypto]),
  // What the variables of a Jenkins job mean.
  room("Coordinator", "Jenkins", ["BuildModel"]),
  // The deploy tree and its index.
  room("Coordinator", "Reports", ["BuildModel", "BlobStore"]),
  // Holds the others together.
  room(
    "Coordinator", "FarmService",
    [
      "BuildModel", "BlobStore", "OCIImage", "Feed", "Blocks", "CoordinatorConfiguration", "Planning", "Scheduling", "Store", "Executors", "Cloud",
      "Publishing", "RemoteFeed", "Preload", "Jenkins", "Reports", "CArchive", crypto,
    ]),
  // Parse, call FarmService, print.
  .executableTarget(
    name: "Commands",
    dependencies: [
      "BuildModel", "BlobStore", "Feed", "CoordinatorConfiguration", "Jenkins", "Planning", "Publishing", "Reports", "Scheduling", "FarmService",
      argumentParser,
    ],
    path: "Sources/Coordinator/Commands", swiftSettings: settings),
]

let worker: [Target] = [
  .systemLibrary(name: "CLinux", path: "Sources/Worker/CLinux"),
  // Child processes and their trees.
  room("Worker", "Processes", ["CLinux"]),
  // Mirrors and checkouts of exact commits.
  room("Worker", "Source", ["BuildModel", "Processes"]),
  // Images from Dockerfiles, and what builds leave in container daemons.
  room("Worker", "Containers", ["BuildModel", "Processes"]),
  // Driving barys, reading its console, collecting what it made.
  room("Worker", "Yocto", ["BuildModel", "BlobStore", "CArchive", "Feed", "Processes"]),
  // Attempt directories, journals and the detached runner.
  room("Worker", "Attempt", ["BuildModel", "BlobStore", "Blocks", "Containers", "Feed", "Processes", "Source", "Yocto"]),
  // The verbs.
  .executableTarget(
    name: "WorkerCommands",
    dependencies: [
      "BuildModel", "BlobStore", "Blocks", "CLinux", "Containers", "Processes", "Source", "Yocto", "Attempt", crypto, argumentParser,
    ], path: "Sources/Worker/WorkerCommands", swiftSettings: settings),
]

let roomTests: [Target] = [
  tests("BuildModel", ["TestFiles"], exclude: ["Fixtures"]),
  tests("BlobStore", ["BuildModel", "TestFiles"]),
  tests("OCIImage", ["BuildModel", "BlobStore", "TestArchives", "TestFiles", "TestPeers", crypto]),
  tests("Feed", ["BuildModel", "BlobStore", "TestArchives", "TestFiles", "TestPeers", crypto], copy: ["Fixtures"]),
  tests("Blocks", ["BuildModel", "BlobStore", "OCIImage", "Feed", "TestFiles", "TestPeers", crypto], copy: ["Fixtures"]),
  .testTarget(
    name: "ConfigurationTests", dependencies: ["CoordinatorConfiguration", "BuildModel", "TestFiles"], path: "Tests/ConfigurationTests",
    swiftSettings: settings),
  tests("Planning", ["BuildModel", "TestFiles", "TestGolden", "TestPeers"], exclude: ["Fixtures", "Golden"]),
  tests("Scheduling", ["BuildModel"]),
  tests("Store", ["BuildModel", "TestFiles"]),
  tests("Executors", ["BuildModel", "BlobStore", "TestFiles", "TestPeers", crypto], exclude: ["Fixtures"]),
  tests("Cloud", ["BuildModel", "BlobStore", "OCIImage", "TestFiles", "TestPeers", "TestServers", crypto]),
  tests("RemoteFeed", ["BuildModel", "BlobStore", "Feed", "Cloud", "TestFiles", "TestPeers", crypto]),
  tests(
    "Publishing",
    ["BuildModel", "BlobStore", "OCIImage", "Cloud", "TestCloud", "TestFiles", "TestPeers", "PublishingSupport", "publish-once", crypto],
    exclude: ["Fixtures", "Peers"]),
  tests("Preload", ["BuildModel", "TestFiles", "TestPeers", crypto], exclude: ["Fixtures"]),
  tests("Jenkins"),
  tests("Reports", ["BuildModel", "BlobStore", "TestFiles", "TestGolden", "TestPeers"], exclude: ["Golden"]),
  tests("Source", ["BuildModel", "Processes", "TestFiles", "TestPeers"]),
  tests("Yocto", ["BuildModel", "BlobStore", "Processes", "TestFiles", "TestPeers"], copy: ["Fixtures"]),
  tests("Attempt", ["BuildModel", "Processes", "TestFiles"]),
  tests("Containers", ["BuildModel", "Processes", "TestFiles", "TestPeers"]),
  tests(
    "FarmService",
    [
      "BuildModel", "BlobStore", "Cloud", "CoordinatorConfiguration", "OCIImage", "Executors", "Planning", "Publishing", "PublishingSupport",
      "Reports", "TestCloud", "TestFiles",
    ]),
  // The worker's verbs, and the whole program, as child processes.
  tests("WorkerCommands", ["BuildModel", "BlobStore", "Blocks", "TestFiles", "TestPeers"], exclude: ["Fixtures"]),
  tests("Commands", ["WorkerCommands", "Cloud", "TestCloud", "TestFiles", "TestGolden", "TestPeers"], exclude: ["Golden"]),
  tests(
    "TestCloud",
    ["TestFiles", "TestPeers", crypto, nio, .product(name: "HTTPTypes", package: "swift-http-types")], exclude: ["sdk"]),
  // The peers and files that tests lean on.
  .testTarget(
    name: "SupportTests", dependencies: ["TestFiles", "TestGolden", "TestPeers", "test-cloud"], path: "Tests/SupportTests", swiftSettings: settings),
]

/// A target of Tests/Support. No product knows it, and none contains tests.
func support(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, path: "Tests/Support/\(name)", swiftSettings: settings)
}

/// What tests of several rooms need.
let testSupport: [Target] = [
  // Scratch directories, fixtures, built programs.
  support("TestFiles"),
  // Comparison with texts that are kept in files.
  support("TestGolden"),
  // Real programs: started, waited for, ended.
  support("TestPeers", ["CLinux", "TestFiles"]),
  // Archives with any content, byte by byte.
  support("TestArchives"),
  // HTTP servers that do wrong things on demand.
  support("TestServers", ["TestFiles", "TestPeers", crypto]),
  // balenaCloud's API and registry on this machine: faithful, strict, and failing on demand.
  .target(
    name: "TestCloud",
    dependencies: [
      "CZlib", "TestFiles", "TestPeers", crypto, nio, .product(name: "NIOPosix", package: "swift-nio"),
      .product(name: "HummingbirdCore", package: "hummingbird"),
      .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
      .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"), .product(name: "HTTPTypes", package: "swift-http-types"),
      .product(name: "Logging", package: "swift-log"),
    ], path: "Tests/Support/TestCloud", swiftSettings: settings),
  // A device type to publish, with real blobs.
  .target(
    name: "PublishingSupport", dependencies: ["BuildModel", "BlobStore", "OCIImage", "Cloud", "Publishing", "TestFiles"],
    path: "Tests/Support/PublishingSupport", swiftSettings: settings),
  // Publishes it once, in a process that can be killed.
  .executableTarget(
    name: "publish-once", dependencies: ["BuildModel", "BlobStore", "Cloud", "Publishing", "Store", "FarmService", "PublishingSupport"],
    path: "Tests/Support/PublishOnce", swiftSettings: settings),
  // The test cloud as a program.
  .executableTarget(
    name: "test-cloud", dependencies: ["TestCloud", argumentParser], path: "Tests/Support/TestCloudProgram", swiftSettings: settings),
]

let fuzz: [Target] =
  fuzzer.map { library in
    [
      // Parsers of foreign bytes under libFuzzer.
      .executableTarget(
        name: "Fuzz", dependencies: ["BuildModel", "OCIImage", "Feed", "Planning"], path: "Tests/Fuzz", exclude: ["Corpus"], swiftSettings: settings,
        linkerSettings: [.unsafeFlags(["-sanitize=address", "-use-ld=lld", "-Xlinker", library, "-lstdc++"])])
    ]
  } ?? []

let package = Package(
  name: "blockfarm",
  products: [
    .executable(name: "blockfarm", targets: ["Commands"]),
    .executable(name: "blockfarm-worker", targets: ["WorkerCommands"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    // Only for Tests/Support.
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
  ],
  targets: shared + coordinator + worker + testSupport + roomTests + fuzz
)
