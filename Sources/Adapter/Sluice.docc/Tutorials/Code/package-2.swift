// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Shop",
    traits: ["Local", .default(enabledTraits: ["Local"])],
    dependencies: [
        .package(
            path: "../sluice",
            traits: ["Sentry", .trait(name: "Local", condition: .when(traits: ["Local"]))])
    ],
    targets: [
        .executableTarget(name: "Shop", dependencies: [.product(name: "Sluice", package: "sluice")]),
        .testTarget(name: "ShopTests", dependencies: ["Shop", .product(name: "SluiceTesting", package: "sluice")]),
    ]
)
