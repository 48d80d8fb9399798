// swift-tools-version: 6.2
import PackageDescription

// Set by our own scripts: a warning of a newer compiler must not break anybody's build.
let warningsAreErrors: [SwiftSetting] =
    Context.environment["SLUICE_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

let strict: [SwiftSetting] =
    warningsAreErrors + [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]

let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let inMemoryLogging = Target.Dependency.product(name: "InMemoryLogging", package: "swift-log")

/// The module that apps import, and those whose types it hands on: SwiftPM builds an app anew when a module that it names has changed, and
/// else leaves it with yesterday's layout of a type, to crash.
let sluice = ["Sluice", "SluiceCore", "SluiceEvents", "SluiceMiddleware", "SluiceReporting", "SluiceStreaming"]
let app = sluice.map { Target.Dependency.target(name: $0) }

func example(_ name: String) -> Target {
    .executableTarget(
        name: name, dependencies: app, path: "Examples/\(name)", swiftSettings: strict)
}

func test(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["SluiceTestSupport"],
        path: "Tests/\(name)", swiftSettings: strict)
}

let package = Package(
    name: "sluice",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Sluice", targets: sluice),
        // Signed cookies and sessions: apart, so that nobody else builds swift-crypto.
        .library(name: "SluiceSessions", targets: ["SluiceSessions"] + sluice),
        // For test targets: an app's requests in one line.
        .library(name: "SluiceTesting", targets: ["SluiceTesting"] + sluice),
        // `swift package lambda`.
        .plugin(name: "SluiceLambda", targets: ["SluiceLambda"]),
    ],
    traits: [
        .trait(name: "Local", description: "The local Lambda: `run()` outside AWS serves the app on a loopback port."),
        .trait(name: "Sentry", description: "Reports errors to Sentry, or to what speaks its protocol."),
        .trait(name: "ServiceLifecycle", description: "`LambdaApp` is a service of swift-service-lifecycle."),
        .default(enabledTraits: ["Local", "Sentry"]),
    ],
    dependencies: [
        // HTTP currency types: what the Swift server world shares. Without its trait for `URL`, which would link FoundationEssentials always.
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        // The logging facade that apps' other libraries already use.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        // The facades of metrics and traces, which apps' other libraries already use: `Metrics()` and `Tracing()` speak to them.
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.2.0"),
        // The HMAC of signed cookies, for `SluiceSessions` alone.
        .package(url: "https://github.com/apple/swift-crypto", "3.12.0"..<"5.0.0"),
        // Starts and stops an app's other services with it: database pools, say. With the trait of its name only.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    ],
    targets: [
        // llhttp, the parser of Node.js, linked statically: Amazon Linux has no such package.
        .systemLibrary(name: "CSluiceLlhttp", path: "Sources/CLlhttp"),
        // zlib, linked statically: Amazon Linux has one, but nobody promises it. The linker drops it where nothing compresses.
        .systemLibrary(name: "CSluiceZlib", path: "Sources/CZlib"),
        .target(name: "CSluiceRuntime", path: "Sources/CRuntime"),
        // libcurl's calls, loaded with dlopen when they are needed: nothing is linked.
        .target(name: "CSluiceLibcurl", path: "Sources/CLibcurl"),
        // What everything stands on; it knows neither HTTP nor Lambda, and no error tracker.
        .target(
            name: "SluiceCore", dependencies: ["CSluiceRuntime", logging], path: "Sources/Core", swiftSettings: strict),
        .target(
            name: "SluiceStreaming", dependencies: ["SluiceCore", "CSluiceLlhttp", "CSluiceRuntime", httpTypes],
            path: "Sources/Streaming", swiftSettings: strict),
        .target(
            name: "SluiceReporting", dependencies: ["SluiceCore", "CSluiceLibcurl", "CSluiceRuntime", logging],
            path: "Sources/Reporting", swiftSettings: strict),
        .target(
            name: "SluiceSentry", dependencies: ["SluiceCore", "SluiceReporting", logging, tracing], path: "Sources/Sentry",
            swiftSettings: strict),
        // What is not HTTP: events of queues, streams, topics, buckets, schedules and direct invocations, and their handlers.
        .target(name: "SluiceEvents", dependencies: ["SluiceCore"], path: "Sources/Events", swiftSettings: strict),
        .target(
            name: "SluiceMiddleware",
            dependencies: [
                "SluiceCore", "SluiceEvents", "SluiceStreaming", "CSluiceZlib", httpTypes, logging, coreMetrics, tracing,
            ],
            path: "Sources/Middleware", swiftSettings: strict),
        .target(
            name: "SluiceLocal", dependencies: ["SluiceCore", "SluiceStreaming", "CSluiceRuntime"],
            path: "Sources/Local", swiftSettings: strict),
        .target(
            name: "Sluice",
            dependencies: [
                "SluiceCore", "SluiceEvents", "SluiceMiddleware", "SluiceStreaming", "SluiceReporting", "CSluiceRuntime",
                httpTypes, logging, coreMetrics,
                .target(name: "SluiceLocal", condition: .when(traits: ["Local"])),
                .target(name: "SluiceSentry", condition: .when(traits: ["Sentry"])),
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])),
            ],
            path: "Sources/Adapter", swiftSettings: strict),
        .target(
            name: "SluiceSessions", dependencies: app + [.product(name: "Crypto", package: "swift-crypto")],
            path: "Sources/Sessions", swiftSettings: strict),
        .target(
            name: "SluiceTesting",
            dependencies: app + ["SluiceLocal", httpTypes, logging],
            path: "Sources/Testing", swiftSettings: strict),
        .plugin(
            name: "SluiceLambda",
            capability: .command(
                intent: .custom(
                    verb: "lambda", description: "Makes the zip for AWS Lambda, or with --new a package to begin with"),
                permissions: [
                    .writeToPackageDirectory(
                        reason:
                            "it builds for AWS Lambda in .build-portable, and puts the zip, or what --new makes, into the package"
                    )
                ]), path: "Plugins/Lambda"),
        example("Hello"),
        example("Orders"),
        example("Streams"),
        example("Failures"),
        example("Reporting"),
        // What deploy/canary asks on AWS.
        .executableTarget(name: "Canary", dependencies: app, path: "deploy/canary/App", swiftSettings: strict),
        // What scripts/bench measures.
        .executableTarget(
            name: "Benchmark", dependencies: app, path: "Benchmarks/App", swiftSettings: strict),
        .target(name: "SluiceTestSupport", path: "Tests/Support", swiftSettings: strict),
        test("EventsTests", ["SluiceCore", "SluiceEvents"]),
        test("StreamingTests", ["SluiceCore", "SluiceStreaming"]),
        test("ReportingTests", ["SluiceCore", "SluiceReporting", "SluiceSentry", logging, tracing]),
        test(
            "MiddlewareTests",
            [
                "SluiceCore", "SluiceMiddleware", "SluiceStreaming", logging, inMemoryLogging,
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"), tracing, coreMetrics,
            ]),
        test("AdapterTests", app + ["SluiceSentry", logging, coreMetrics]),
        test("LocalTests", ["SluiceCore", "SluiceLocal", "SluiceStreaming"]),
        test("SessionsTests", app + ["SluiceSessions", logging, inMemoryLogging]),
        test("TestingTests", app + ["SluiceTesting", logging]),
        // Shows the end-to-end tests what reached a handler.
        .executableTarget(name: "Mirror", dependencies: app, path: "Tests/Mirror", swiftSettings: strict),
        // What packages must carry: Foundation, a resource, and a library that Amazon Linux may lack.
        .executableTarget(
            name: "Packed", dependencies: app, path: "Tests/Packed", resources: [.copy("Resources/greeting.txt")],
            swiftSettings: strict, linkerSettings: [.linkedLibrary("z")]),
        // Runs the built examples as real processes.
        test("EndToEndTests", ["Hello", "Orders", "Streams", "Failures", "Reporting", "Mirror"]),
    ]
)
