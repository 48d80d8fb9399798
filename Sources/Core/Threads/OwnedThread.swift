internal import CSluiceRuntime
internal import Glibc

/// A thread that belongs to us, so that blocking it starves nobody: Swift's shared pool has one or two in a small function.
package enum OwnedThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread. `name` is cut to the 15 bytes that Linux shows.
    ///
    /// - Parameter takesSignals: Whether signals may be handled on it. A thread without them gets an error code where a peer is gone.
    /// - Throws: ``SystemError`` when the system has no thread left.
    package static func start(
        _ name: String, takesSignals: Bool = true, _ run: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let body = Unmanaged.passRetained(Body(run))
        let code = sluice_start_thread(
            name, takesSignals ? 1 : 0,
            { raw in
                guard let raw else { return }
                Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
            }, body.toOpaque())
        guard code == 0 else {
            body.release()
            throw SystemError(code: code, call: "pthread_create")
        }
    }

    /// A number that tells threads apart while they live.
    package static var currentID: UInt { UInt(pthread_self()) }
}
