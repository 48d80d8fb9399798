internal import CSluiceRuntime

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A thread that belongs to us, so that blocking it starves nobody: Swift's shared pool has one or two in a small function.
package enum OwnedThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread. `name` is cut to the 15 bytes that Linux shows.
    ///
    /// - Throws: ``SystemError`` when the system has no thread left.
    package static func start(_ name: String, _ run: @escaping @Sendable () -> Void) throws(SystemError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        let body = Unmanaged.passRetained(
            Body {
                #if canImport(Glibc)
                sluice_name_thread(name)
                #endif
                run()
            })
        #if canImport(Glibc)
        var thread = pthread_t()
        #else
        var thread: pthread_t?
        #endif
        let code = pthread_create(
            &thread, &attributes,
            { raw in
                #if canImport(Glibc)
                guard let raw else { return nil }
                #endif
                Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        guard code == 0 else {
            body.release()
            throw SystemError(code: code, call: "pthread_create")
        }
    }

    /// A number that tells threads apart while they live.
    package static var currentID: UInt {
        #if canImport(Glibc)
        UInt(pthread_self())
        #else
        UInt(bitPattern: pthread_self())
        #endif
    }
}
