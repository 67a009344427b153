// swift-tools-version: 6.1
import PackageDescription

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

let package = Package(
  name: "blockfarm",
  products: [
    .executable(name: "blockfarm", targets: ["Commands"]),
    .executable(name: "blockfarm-worker", targets: ["WorkerCommands"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
  ],
  targets: [
    // MARK: Shared: what both programs compile
    .target(name: "BuildModel", path: "Sources/Shared/BuildModel"),
    .target(name: "BlobStore", dependencies: ["BuildModel", crypto], path: "Sources/Shared/BlobStore"),
  ]
)
