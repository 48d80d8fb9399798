// swift-tools-version: 6.2
// An app that takes Sluice without its default traits, and as a service of a group. scripts/test builds and runs it, and looks at its symbols.
import PackageDescription

let sluice = Target.Dependency.product(name: "Sluice", package: "sluice")

let package = Package(
    name: "traits",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "sluice", path: "../..", traits: ["ServiceLifecycle"]),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    ],
    targets: [
        .executableTarget(name: "Bare", dependencies: [sluice]),
        .testTarget(
            name: "TraitsTests",
            dependencies: [sluice, .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")]),
    ]
)
