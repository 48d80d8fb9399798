#if ServiceLifecycle
internal import Logging
public import ServiceLifecycle
public import SluiceMiddleware
internal import Synchronization

/// One service of a group: `ServiceGroup(services: [database, app], …)` starts the database before the app, and ends it after.
extension LambdaApp: Service {
    /// As ``run(bootstrapsLogging:)``. A graceful shutdown of the group ends it: the invocation in hand is answered first.
    ///
    /// Off Lambda the program runs twice: the parent is the local Lambda, and leaves by `exit`; the child serves. The group's
    /// other services run in both.
    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await self.run(bootstrapsLogging: true)
        }
    }
}

extension LambdaApp {
    /// Builds an app with services beside it: database pools, clients, whatever has a `run()` of its own.
    ///
    /// They are started in this order before the first invocation is asked for, each in a task of its own (nothing waits until one is
    /// ready), and stopped in reverse order when the sandbox ends, which Lambda announces by SIGTERM: 500 ms before, with an external
    /// extension, 300 ms without. (For that the process registers itself as an internal extension.) A sandbox that Lambda kills outright
    /// ends nothing: what must not be lost belongs before the response. A service that ends or throws on its own is a failure that is
    /// recorded and reported, and ends the process.
    ///
    /// - Parameters:
    ///   - services: In the order in which they start.
    ///   - errorResponse: Shapes the response to an error; ``problemResponse(to:for:)`` unless replaced.
    ///   - json: How JSON is written and read; ``JSONCoders/standard`` unless given.
    ///   - pipeline: The app's list.
    /// - Throws: What the list's own expressions throw.
    public init(
        services: [any Service], errorResponse: @escaping ErrorResponder = problemResponse(to:for:), json: JSONCoders? = nil,
        @PipelineBuilder _ pipeline: () throws -> CompletePipeline
    ) rethrows {
        try self.init(errorResponse: errorResponse, json: json, pipeline)
        if !services.isEmpty { life.services = GroupedServices(services) }
    }
}

/// Services that swift-service-lifecycle starts and stops.
private final class GroupedServices: AppServices {
    private let services: [any Service]
    private let running = Mutex<(group: ServiceGroup, task: Task<Void, Never>)?>(nil)
    private let isStopping = Mutex(false)

    init(_ services: [any Service]) { self.services = services }

    func start(_ ended: @escaping @Sendable (any Error) -> Void) {
        // Signals are not its own: Lambda's have a time limit that it does not know.
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
                logger: Logger(label: "sluice.services")))
        let task = Task.detached {
            do {
                try await group.run()
                if !self.isStopping.withLock(\.self) { ended(ServiceEnded()) }
            } catch {
                if !self.isStopping.withLock(\.self) { ended(error) }
            }
        }
        running.withLock { $0 = (group, task) }
    }

    func stop() async {
        isStopping.withLock { $0 = true }
        guard let running = running.withLock(\.self) else { return }
        await running.group.triggerGracefulShutdown()
        await running.task.value
    }
}

/// A service returned from its `run()` while the app was running.
private struct ServiceEnded: Error, CustomStringConvertible {
    var description: String { "a service has returned from its run()" }
}
#else
public import SluiceMiddleware

extension LambdaApp {
    /// Services need the package's trait `ServiceLifecycle`.
    @available(
        *, unavailable,
        message:
            "services need Sluice's trait ServiceLifecycle: .package(url: …, traits: [.defaults, \"ServiceLifecycle\"]) in your Package.swift"
    )
    public init<Service>(
        services: [Service], errorResponse: @escaping ErrorResponder = problemResponse(to:for:), json: JSONCoders? = nil,
        @PipelineBuilder _ pipeline: () throws -> CompletePipeline
    ) rethrows {
        try self.init(errorResponse: errorResponse, json: json, pipeline)
    }
}
#endif
