import Synchronization

/// A door that stays shut until it is opened: order in tests without sleeping.
public final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    public init() {}

    public func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    public func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

/// Collects values from any thread.
public final class Collected<Value: Sendable>: Sendable {
    private let state = Mutex<[Value]>([])
    public init() {}
    public func add(_ value: Value) { state.withLock { $0.append(value) } }
    public var values: [Value] { state.withLock { $0 } }
}
