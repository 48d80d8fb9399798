import Foundation
import ServiceLifecycle
import Sluice

/// Something that opens at start, and takes a while to close.
struct Pool: Service {
    let name: String
    let delay: Duration

    func run() async throws {
        print("\(name) opened")
        try? await gracefulShutdown()
        try? await Task.sleep(for: delay)
        print("\(name) closed")
        // Nobody's request: it is delivered, or it is lost with the sandbox.
        Reports.capture("last words of the \(name)")
    }
}

@main
struct Pools {
    static func main() async throws {
        // A service that never ends: the others, and the reports, must not wait for it.
        let hangs = ProcessInfo.processInfo.environment["HANGS"] != nil
        var routes = Router()
        routes.get("/") { request in
            request.afterReply { print("after the reply of \(request.path)") }
            return "hello"
        }
        let app = try LambdaApp(services: [
            Pool(name: "database", delay: .milliseconds(20)),
            Pool(name: "client", delay: hangs ? .seconds(3600) : .milliseconds(60)),
        ]) {
            PlatformWatch()
            RequestID()
            routes
            CaptureErrors()
            FlushReports()
        }
        app.onThaw { gap in print("thawed after \(gap)") }
        guard ProcessInfo.processInfo.environment["GROUPED"] != nil else { return try await app.run() }
        // The app as one service of the program's own group, which hears SIGTERM too.
        let group = ServiceGroup(
            services: [Pool(name: "cache", delay: .zero), app], gracefulShutdownSignals: [.sigterm],
            logger: Logger(label: "group"))
        try await group.run()
        print("the group has ended")
    }
}
