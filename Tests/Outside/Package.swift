// swift-tools-version: 6.2
// What people write on Sluice, in a package of its own: the public API alone, with Foundation beside it. scripts/test builds and runs it.
import PackageDescription

let package = Package(
    name: "outside",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "sluice", path: "../..")],
    targets: [
        .testTarget(name: "OutsideTests", dependencies: [.product(name: "Sluice", package: "sluice")])
    ]
)
