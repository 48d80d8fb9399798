internal import CSluiceRuntime
internal import Synchronization

/// Remembers where errors of an invocation were thrown: the runtime calls it at each `throw`.
package enum ThrowHook {
    private static let isInstalled = Atomic(false)

    /// Notes throws from here on; a hook that was there before is called too.
    package static func install() {
        guard !isInstalled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // Without it reports have no stack of the throw, and everything else.
        _ = sluice_install_throw_hook(noteThrow)
    }

    static let frameLimit = 64
}

/// Called by the Swift runtime, on any thread and outside of any actor.
private func noteThrow(_ error: UnsafeRawPointer?, _ type: UnsafeRawPointer?) {
    guard let error, let scope = InvocationScope.current, let value = thrown(error, type) else { return }
    scope.state.noteThrow(value, isTyped: type != nil, known: { scope.follower?.known }) {
        // The walk begins at this function's caller's caller, whatever is in between here.
        [UInt](unsafeUninitializedCapacity: ThrowHook.frameLimit) { buffer, count in
            count = sluice_walk_frames(buffer.baseAddress, buffer.count)
        }
    }
}

/// The error as a value of ours: the box itself, or a new one around what a typed throw carries.
private func thrown(_ error: UnsafeRawPointer, _ type: UnsafeRawPointer?) -> (any Error)? {
    guard let type else {
        guard MemoryLayout<any Error>.size == MemoryLayout<UInt>.size else { return nil }
        // The cast does not own the box; the copy that is returned does.
        return withUnsafeBytes(of: UInt(bitPattern: error)) { $0.assumingMemoryBound(to: (any Error).self).first }
    }
    guard let metatype = unsafeBitCast(type, to: Any.Type.self) as? any Error.Type else { return nil }
    func load<E: Error>(_ type: E.Type) -> any Error { error.assumingMemoryBound(to: E.self).pointee }
    return load(metatype)
}
