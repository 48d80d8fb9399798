// swift-tools-version: 6.2
// One harness for each parser that reads what comes from outside, in one program: scripts/fuzz builds and runs it.
import PackageDescription

let package = Package(
    name: "fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "sluice", path: "../..")],
    targets: [
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                .product(name: "Sluice", package: "sluice"), .product(name: "SluiceSessions", package: "sluice"),
            ])
    ]
)
