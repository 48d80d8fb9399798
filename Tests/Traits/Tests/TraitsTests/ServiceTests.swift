import Foundation
import Logging
import ServiceLifecycle
import Sluice
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite(.timeLimit(.minutes(1))) struct ServiceTests {
    /// A Runtime API that hands out nothing: it reads requests, and answers none.
    private final class SilentAPI: Sendable {
        let port: UInt16
        let asked = DispatchSemaphore(value: 0)

        init() {
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            _ = withUnsafeMutablePointer(to: &address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    bind(listener, address, size) + listen(listener, 8) + getsockname(listener, address, &size)
                }
            }
            port = UInt16(bigEndian: address.sin_port)
            Thread { [asked] in
                let connection = accept(listener, nil, nil)
                var byte: UInt8 = 0
                if read(connection, &byte, 1) == 1 { asked.signal() }
            }.start()
        }
    }

    private struct Pool: Service {
        let order: @Sendable (String) -> Void
        func run() async throws {
            order("pool began")
            try? await gracefulShutdown()
            order("pool ended")
        }
    }

    private struct Noting: Service {
        let app: LambdaApp
        let order: @Sendable (String) -> Void
        func run() async throws {
            try await app.run()
            order("app ended")
        }
    }

    @Test("an app is a service of a group: it ends before what it stands on, without an error")
    func group() async throws {
        let api = SilentAPI()
        setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:\(api.port)", 1)
        let noted = Mutex<[String]>([])
        let order: @Sendable (String) -> Void = { text in noted.withLock { $0.append(text) } }
        var routes = Router()
        routes.get("/") { _ in "hello" }
        let app = LambdaApp { routes }
        let group = ServiceGroup(
            services: [Pool(order: order), Noting(app: app, order: order)], logger: Logger(label: "test"))
        async let running: Void = group.run()
        await withCheckedContinuation { continuation in
            Thread {
                api.asked.wait()
                continuation.resume()
            }.start()
        }
        await group.triggerGracefulShutdown()
        // The first service that returns on its own ends the group; an app does so in a shutdown only.
        try await running
        #expect(noted.withLock(\.self) == ["pool began", "app ended", "pool ended"])
    }
}
