// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Shop",
    platforms: [.macOS(.v15)],
    traits: [
        .trait(name: "Local", description: "`swift run` starts the local Lambda. Off in the zip."),
        .default(enabledTraits: ["Local"]),
    ],
    dependencies: [
        .package(
            name: "sluice", path: "../..",
            traits: ["Sentry", .trait(name: "Local", condition: .when(traits: ["Local"]))])
    ],
    targets: [
        .executableTarget(name: "Shop", dependencies: [.product(name: "Sluice", package: "sluice")]),
        .testTarget(
            name: "ShopTests",
            dependencies: ["Shop", .product(name: "SluiceTesting", package: "sluice")]),
    ],
    swiftLanguageModes: [.v6]
)
