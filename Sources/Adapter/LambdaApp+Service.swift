#if ServiceLifecycle
public import ServiceLifecycle

/// One service of a group: `ServiceGroup(services: [database, app], …)` starts the database before the app, and ends it after.
extension LambdaApp: Service {
    /// As ``run(bootstrapsLogging:)``. A graceful shutdown of the group ends it: the invocation in hand is answered first.
    ///
    /// Off Lambda this program is started twice: as the local Lambda, which ends with its group's process, and as its child, where the
    /// group's other services run too.
    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await self.run(bootstrapsLogging: true)
        }
    }
}
#endif
