// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Shop",
    dependencies: [
        .package(path: "../sluice")  // a checkout beside it, or: url: "…", branch: "main"
    ],
    targets: [
        .executableTarget(name: "Shop", dependencies: [.product(name: "Sluice", package: "sluice")]),
        .testTarget(name: "ShopTests", dependencies: ["Shop", .product(name: "SluiceTesting", package: "sluice")]),
    ]
)
