// swift-tools-version: 6.2
// A package of its own: whoever uses Sluice does not get GRDB with it. Needs libsqlite3-dev.
import PackageDescription

let sluice = Target.Dependency.product(name: "Sluice", package: "sluice")
let sessions = Target.Dependency.product(name: "SluiceSessions", package: "sluice")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

let package = Package(
    name: "clip",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "sluice", path: "../.."),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // scrypt, for passwords. SluiceSessions signs its cookies with the same package.
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    ],
    targets: [
        .executableTarget(
            name: "Clip",
            dependencies: [
                sluice, sessions, grdb,
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ]),
        .testTarget(
            name: "ClipTests",
            dependencies: ["Clip", sluice, sessions, grdb, .product(name: "SluiceTesting", package: "sluice")]),
    ]
)
