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
  // Values as JSON and back: the same bytes for the same value, and plain words for what cannot be read.
  room("Shared", "CanonicalJSON"),
  // So many things at once and no more: tasks, threads, blocking work.
  room("Shared", "BoundedConcurrency"),
  // Values only: what is built, for what, and how it ended.
  room("Shared", "BuildModel", ["CanonicalJSON"]),
  // Child processes and their trees.
  room("Shared", "Processes", ["CLinux", "BuildModel"]),
  // Content-addressed store on disk.
  room("Shared", "BlobStore", ["BuildModel", crypto]),
  // Manifests, configs, layers, image layouts, docker-archives.
  room("Shared", "OCIImage", ["BuildModel", "CanonicalJSON", "BoundedConcurrency", "BlobStore", "CDeflate", "CZlib", crypto]),
  // ipk packages, indexes, feeds.
  room("Shared", "Feed", ["BuildModel", "BlobStore", "CArchive", crypto]),
  // From a feed to a reproducible block, and back to a verdict.
  room("Shared", "Blocks", ["BuildModel", "CanonicalJSON", "BoundedConcurrency", "BlobStore", "OCIImage", "Feed", crypto]),
  .systemLibrary(name: "CLinux", path: "Sources/Shared/CLinux"),
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
    name: "CoordinatorConfiguration", dependencies: ["BuildModel", "CLinux", .product(name: "Yams", package: "Yams")],
    path: "Sources/Coordinator/Configuration", swiftSettings: settings),
  // Device repositories, contracts, compositions, versions: from a request to a plan.
  room(
    "Coordinator", "Planning",
    [
      "BuildModel", "Processes", "BoundedConcurrency", "CanonicalJSON", "BlobStore", "CoordinatorConfiguration", crypto,
      .product(name: "Yams", package: "Yams"),
    ]),
  // Hosts, tasks and the time: from values to decisions.
  room("Coordinator", "Scheduling", ["BuildModel"]),
  // The journal of requests, tasks, attempts and events, in SQLite.
  room(
    "Coordinator", "Store",
    ["BuildModel", "BoundedConcurrency", "CanonicalJSON", "BlobStore", "CLinux", crypto, .product(name: "GRDB", package: "GRDB.swift")]),
  // One thread that waits for foreign descriptors and runs what their owners do.
  room("Coordinator", "EventLoop", ["BuildModel", "CLinux"]),
  // How workers are reached: SSH and child processes.
  room("Coordinator", "Executors", ["BuildModel", "Processes", "BoundedConcurrency", "BlobStore", "EventLoop", "CSSH2", crypto]),
  // Requests and answers on libcurl.
  room("Coordinator", "HTTP", ["BuildModel", "BoundedConcurrency", "CanonicalJSON", "BlobStore", "EventLoop", "CCurl", crypto]),
  // Registries of container images.
  room("Coordinator", "Registry", ["BuildModel", "BoundedConcurrency", "CanonicalJSON", "BlobStore", "OCIImage", "HTTP", crypto]),
  // balenaCloud's API.
  room("Coordinator", "Balena", ["BuildModel", "BoundedConcurrency", "CanonicalJSON", "BlobStore", "HTTP"]),
  // Feeds that are somewhere else: into the blob store, checked.
  room("Coordinator", "RemoteFeed", ["BuildModel", "BoundedConcurrency", "CanonicalJSON", "BlobStore", "Feed", "HTTP", crypto]),
  // What a release is: applications, releases and their assets on balenaCloud; the deploy tree on S3.
  room(
    "Coordinator", "Publishing",
    ["BuildModel", "BoundedConcurrency", "CanonicalJSON", "BlobStore", "OCIImage", "HTTP", "Registry", "Balena", crypto]),
  // Blocks into the data partition of disk images.
  room("Coordinator", "Preload", ["BuildModel", "Processes", "BoundedConcurrency", "CanonicalJSON", "OCIImage", "CZlib", "CExt2FS", crypto]),
  // The deploy tree and its index.
  room("Coordinator", "Reports", ["BuildModel", "BoundedConcurrency", "CanonicalJSON", "BlobStore"]),
  // From an attempt's outcome to what people take away.
  room(
    "Coordinator", "Delivery",
    [
      "BuildModel", "BoundedConcurrency", "CanonicalJSON", "BlobStore", "OCIImage", "Blocks", "CoordinatorConfiguration", "Planning", "Store",
      "Executors", "HTTP", "Registry", "Preload",
      "Reports", "CArchive", crypto,
    ]),
  // How a request's deliveries become releases, and what is released already.
  room(
    "Coordinator", "Releases",
    [
      "BuildModel", "BoundedConcurrency", "CanonicalJSON", "BlobStore", "Blocks", "CoordinatorConfiguration", "Planning", "Store", "HTTP", "Registry",
      "Balena", "Publishing", "Preload",
      "Reports", "Delivery",
    ]),
  // Blocks, feeds, images and pushes without a farm.
  room(
    "Coordinator", "Toolbox",
    [
      "BuildModel", "BoundedConcurrency", "CanonicalJSON", "BlobStore", "OCIImage", "Feed", "Blocks", "Planning", "HTTP", "Registry", "RemoteFeed",
      "Preload", "Reports", crypto,
    ]),
  // Works requests off, and holds the others together.
  room(
    "Coordinator", "FarmService",
    [
      "BuildModel", "BoundedConcurrency", "CanonicalJSON", "BlobStore", "Blocks", "CoordinatorConfiguration", "Planning", "Scheduling", "Store",
      "EventLoop", "Executors", "RemoteFeed", "Publishing",
      "Reports", "Delivery", "Releases",
    ]),
  // What the variables of a Jenkins job mean, and what the job finds in its workspace.
  room(
    "Coordinator", "Jenkins",
    [
      "BuildModel", "CanonicalJSON", "BoundedConcurrency", "BlobStore", "CoordinatorConfiguration", "Planning", "Reports", "Releases", "FarmService",
      crypto,
    ]),
  // Parse, call FarmService, print.
  .executableTarget(
    name: "Commands",
    dependencies: [
      "BuildModel", "CanonicalJSON", "BlobStore", "Feed", "CoordinatorConfiguration", "Jenkins", "Planning", "Publishing", "Releases", "RemoteFeed",
      "Reports",
      "Scheduling", "FarmService", "Toolbox", argumentParser,
    ],
    path: "Sources/Coordinator/Commands", swiftSettings: settings),
]

let worker: [Target] = [
  // Mirrors and checkouts of exact commits.
  room("Worker", "Source", ["BuildModel", "BlobStore", "Processes"]),
  // Images from Dockerfiles, and what builds leave in container daemons.
  room("Worker", "Containers", ["BuildModel", "Processes"]),
  // What a build sees of its host: bubblewrap around its programs.
  room("Worker", "Sandbox", ["BuildModel", "Processes"]),
  // Driving barys, reading its console, collecting what it made.
  room("Worker", "Yocto", ["BuildModel", "BlobStore", "CArchive", "Feed", "Processes"]),
  // Attempt directories, journals and the detached runner.
  room("Worker", "Attempt", ["BuildModel", "CanonicalJSON", "BlobStore", "Blocks", "Containers", "Feed", "Processes", "Sandbox", "Source", "Yocto"]),
  // The verbs.
  .executableTarget(
    name: "WorkerCommands",
    dependencies: [
      "BuildModel", "CanonicalJSON", "BlobStore", "Blocks", "CLinux", "Containers", "Processes", "Sandbox", "Source", "Yocto", "Attempt", crypto,
      argumentParser,
    ], path: "Sources/Worker/WorkerCommands", swiftSettings: settings),
]

let roomTests: [Target] = [
  tests("CanonicalJSON"),
  tests("BoundedConcurrency"),
  tests("BuildModel", ["CanonicalJSON", "TestFiles"], exclude: ["Fixtures"]),
  tests("Processes"),
  tests("BlobStore", ["BuildModel", "TestFiles"]),
  tests("OCIImage", ["BuildModel", "BlobStore", "TestArchives", "TestFiles", "TestPeers", crypto], exclude: ["Fixtures"]),
  tests("Feed", ["BuildModel", "BlobStore", "TestArchives", "TestFiles", "TestPeers", crypto], copy: ["Fixtures"]),
  tests("Blocks", ["BuildModel", "BlobStore", "OCIImage", "Feed", "TestFiles", "TestPeers", crypto], copy: ["Fixtures"]),
  .testTarget(
    name: "ConfigurationTests", dependencies: ["CoordinatorConfiguration", "BuildModel", "TestFiles"], path: "Tests/ConfigurationTests",
    swiftSettings: settings),
  tests(
    "Planning", ["BuildModel", "Processes", "BlobStore", "CanonicalJSON", "TestFiles", "TestGolden", "TestPeers"], exclude: ["Fixtures", "Golden"]),
  tests("Scheduling", ["BuildModel"]),
  tests("Store", ["BuildModel", "TestFiles"]),
  tests("EventLoop"),
  tests("Executors", ["BuildModel", "Processes", "BlobStore", "EventLoop", "TestFiles", "TestPeers", crypto], exclude: ["Fixtures"]),
  tests(
    "HTTP", ["BuildModel", "BlobStore", "BoundedConcurrency", "EventLoop", "HTTPSupport", "TestFiles", "TestPeers", "TestServers", crypto]),
  tests(
    "Registry",
    [
      "BuildModel", "BlobStore", "BoundedConcurrency", "OCIImage", "HTTP", "HTTPSupport", "TestFiles", "TestPeers", "TestServers", crypto,
    ]),
  tests("Balena", ["BuildModel", "CanonicalJSON", "HTTP", "Registry", "HTTPSupport", "TestFiles", "TestServers"]),
  tests("RemoteFeed", ["BuildModel", "BlobStore", "Feed", "HTTP", "TestFiles", "TestPeers", crypto]),
  tests(
    "Publishing",
    [
      "BuildModel", "CanonicalJSON", "BlobStore", "OCIImage", "HTTP", "Registry", "Balena", "TestCloud", "TestFiles", "TestPeers",
      "PublishingSupport",
      "publish-once", crypto,
    ],
    exclude: ["Fixtures", "Peers"]),
  tests("Preload", ["BuildModel", "OCIImage", "TestFiles", "TestPeers", crypto], exclude: ["Fixtures"]),
  tests("Jenkins", ["BuildModel", "BlobStore", "Reports", "TestFiles"]),
  tests("Reports", ["BuildModel", "CanonicalJSON", "BlobStore", "TestFiles", "TestGolden", "TestPeers"], exclude: ["Golden"]),
  tests("Source", ["BuildModel", "Processes", "TestFiles", "TestPeers"]),
  tests("Sandbox", ["BuildModel", "Processes", "TestFiles", "TestGolden", "TestPeers"], exclude: ["Golden"]),
  tests("Yocto", ["BuildModel", "BlobStore", "Processes", "TestFiles", "TestPeers"], copy: ["Fixtures"]),
  tests("Attempt", ["BuildModel", "CanonicalJSON", "Processes", "TestFiles"]),
  tests("Containers", ["BuildModel", "Processes", "TestFiles", "TestPeers"]),
  tests("Delivery", ["BuildModel", "BlobStore", "Blocks", "Planning", "Store", "Executors", "HTTP", "Preload", "Reports"]),
  tests(
    "Releases",
    [
      "BuildModel", "CanonicalJSON", "BlobStore", "CoordinatorConfiguration", "Publishing", "PublishingSupport", "Delivery", "Reports", "TestCloud",
      "TestFiles",
      "HTTP", "Registry", "Balena",
    ]),
  tests("Toolbox", ["BuildModel", "CanonicalJSON", "BlobStore", "HTTP", "Registry", "OCIImage", "TestFiles", "TestPeers", crypto]),
  // The worker's verbs, and the whole program, as child processes.
  tests("WorkerCommands", ["BuildModel", "CanonicalJSON", "BlobStore", "Blocks", "TestFiles", "TestPeers"], exclude: ["Fixtures"]),
  tests(
    "Commands", ["WorkerCommands", "HTTP", "Registry", "Balena", "TestCloud", "TestFiles", "TestGolden", "TestPeers", "TestServers", crypto],
    exclude: ["Golden"]),
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
  // What tests of HTTP and of what speaks it lean on.
  support("HTTPSupport", ["BuildModel", "BlobStore", "HTTP", "TestFiles", "TestPeers", crypto]),
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
    name: "PublishingSupport", dependencies: ["BuildModel", "BlobStore", "OCIImage", "HTTP", "Registry", "Balena", "Publishing", "TestFiles"],
    path: "Tests/Support/PublishingSupport", swiftSettings: settings),
  // Publishes it once, in a process that can be killed.
  .executableTarget(
    name: "publish-once",
    dependencies: ["BuildModel", "BlobStore", "HTTP", "Registry", "Balena", "Publishing", "Store", "Releases", "PublishingSupport"],
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
