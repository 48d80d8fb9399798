#if ServiceLifecycle
public import ServiceLifecycle

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
#endif
