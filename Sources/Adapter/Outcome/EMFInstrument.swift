internal import CoreMetrics
internal import Synchronization

/// One counter, timer, gauge or recorder: what was measured since it was last asked.
final class EMFInstrument: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    enum Kind: Hashable {
        /// Adds up.
        case counter
        /// Has a value, the last one counts.
        case gauge
        /// Keeps each value.
        case recorder, timer
    }

    /// Values that are kept at most; what comes behind them is counted only.
    static let limit = 10_000

    private struct State {
        var sum = 0.0
        var hasChanged = false
        var values: [Double] = []
        var left = 0
        var unit = EMF.Unit.milliseconds
    }

    /// What was measured.
    struct Measured {
        var values: [Double]
        let unit: EMF.Unit
        /// How many values are missing.
        var left = 0
    }

    let key: EMFRegistry.Key
    private let isOn: @Sendable () -> Bool
    private let state = Mutex(State())

    init(_ key: EMFRegistry.Key, isOn: @escaping @Sendable () -> Bool) {
        self.key = key
        self.isOn = isOn
    }

    /// Takes it, and begins anew; nil where there is nothing.
    func take() -> Measured? {
        state.withLock { state in
            switch key.kind {
            case .counter:
                guard state.hasChanged else { return nil }
                defer { (state.sum, state.hasChanged) = (0, false) }
                return Measured(values: [state.sum], unit: .count)
            case .gauge:
                guard state.hasChanged else { return nil }
                state.hasChanged = false
                return Measured(values: [state.sum], unit: .none)
            case .recorder, .timer:
                guard !state.values.isEmpty else { return nil }
                defer { (state.values, state.left) = ([], 0) }
                return Measured(values: state.values, unit: key.kind == .timer ? state.unit : .none, left: state.left)
            }
        }
    }

    private func change(_ value: Double, _ change: (inout State) -> Void) {
        // CloudWatch has neither infinities nor NaN.
        guard value.isFinite, isOn() else { return }
        state.withLock { change(&$0) }
    }

    private func add(_ value: Double) {
        change(value) { state in
            // No sum of finite numbers has to be finite.
            let sum = state.sum + value
            if sum.isFinite { (state.sum, state.hasChanged) = (sum, true) }
        }
    }

    private func keep(_ value: Double) {
        if key.kind == .gauge { return set(value) }
        change(value) { state in
            if state.values.count < Self.limit { state.values.append(value) } else { state.left += 1 }
        }
    }

    // MARK: What swift-metrics calls

    func increment(by amount: Int64) { add(Double(amount)) }
    func increment(by amount: Double) { add(amount) }
    func decrement(by amount: Double) { add(-amount) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { change(value) { ($0.sum, $0.hasChanged) = (value, true) } }
    func record(_ value: Int64) { keep(Double(value)) }
    func record(_ value: Double) { keep(value) }
    func reset() { state.withLock { ($0.sum, $0.hasChanged) = (0, false) } }

    func recordNanoseconds(_ duration: Int64) {
        let unit = state.withLock(\.unit)
        switch unit {
        case .seconds: keep(Double(duration) / 1_000_000_000)
        case .microseconds: keep(Double(duration) / 1000)
        default: keep(Double(duration) / 1_000_000)
        }
    }

    /// CloudWatch has three units of time. What was measured before the first wish is in milliseconds, so only a wish that comes first counts.
    func preferDisplayUnit(_ unit: TimeUnit) {
        state.withLock { state in
            guard state.values.isEmpty else { return }
            switch unit {
            case .nanoseconds, .microseconds: state.unit = .microseconds
            case .milliseconds: state.unit = .milliseconds
            default: state.unit = .seconds
            }
        }
    }
}
