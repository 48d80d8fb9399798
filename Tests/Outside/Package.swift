// swift-tools-version: 6.2
// What people write on Sluice, in a package of its own: the public API alone, with Foundation beside it. scripts/test builds and runs it.
import PackageDescription

let package = Package(
    name: "outside",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "sluice", path: "../..", traits: [.defaults, "ServiceLifecycle"]),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    ],
    targets: [
        // An app with services, which the tests run under the local Lambda.
        .executableTarget(
            name: "Pools",
            dependencies: [
                .product(name: "Sluice", package: "sluice"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], path: "Pools"),
        .testTarget(name: "OutsideTests", dependencies: ["Pools", .product(name: "Sluice", package: "sluice")]),
        // The guide's own middleware: scripts/check compares the pages with these files.
        .target(name: "Guide", dependencies: [.product(name: "Sluice", package: "sluice")], path: "Guide/Sources"),
        .testTarget(
            name: "GuideTests", dependencies: ["Guide", .product(name: "SluiceTesting", package: "sluice")], path: "Guide/Tests"
        ),
        // The tutorials' program as its last step leaves it, and their tests: scripts/check compares.
        .executableTarget(
            name: "Shop", dependencies: [.product(name: "Sluice", package: "sluice")], path: "Tutorial/Sources"),
        .testTarget(
            name: "ShopTests", dependencies: ["Shop", .product(name: "SluiceTesting", package: "sluice")],
            path: "Tutorial/Tests"),
    ]
)
