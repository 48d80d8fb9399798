public import CoreMetrics

/// A backend of swift-metrics that writes CloudWatch's embedded metric format: lines of the log that CloudWatch makes metrics of, without a
/// connection and a call.
///
/// `run()` installs it where `SLUICE_METRICS=emf` says so and the app has bootstrapped no backend of its own. What counters, timers, gauges and
/// recorders have measured is written to standard output at the end of each invocation, before the sandbox can freeze; under
/// managed instances, where several run at once, by the first that ends. Units: counters have `Count`, timers `Milliseconds`
/// unless they prefer another, the others `None`. Labels are dimensions, besides `FunctionName`: each combination of their values is a metric of
/// its own, and is billed as one.
///
/// Beside a backend of your own: `MetricsSystem.bootstrap(MultiplexMetricsHandler(factories: [EMFMetrics(), mine]))`. All instances
/// are one. Without `SLUICE_METRICS=emf` nothing is kept, and nothing written.
///
/// - SeeAlso: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
public struct EMFMetrics: MetricsFactory {
    /// That of the process.
    static let registry = EMFRegistry()

    let registry: EMFRegistry

    /// The backend of this process.
    public init() { registry = Self.registry }

    init(_ registry: EMFRegistry) { self.registry = registry }

    /// Makes it the process's backend, unless there is one.
    static func bootstrapIfNone() {
        if type(of: MetricsSystem.factory) == NOOPMetricsHandler.self { MetricsSystem.bootstrap(EMFMetrics()) }
    }

    /// Adds up between two lines.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        instrument(.counter, label, dimensions)
    }

    /// Adds up between two lines.
    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        instrument(.counter, label, dimensions)
    }

    /// Has its last value, where that has changed.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        instrument(.gauge, label, dimensions)
    }

    /// Each of its values; without `aggregate`, a gauge, the last one.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        instrument(aggregate ? .recorder : .gauge, label, dimensions)
    }

    /// Each of its times.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        instrument(.timer, label, dimensions)
    }

    /// Forgets it.
    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    /// Forgets it.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    /// Forgets it.
    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    /// Forgets it.
    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    /// Forgets it.
    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    private func instrument(_ kind: EMFInstrument.Kind, _ label: String, _ dimensions: [(String, String)]) -> EMFInstrument {
        registry.instrument(EMFRegistry.Key(kind, label, dimensions))
    }

    private func remove(_ handler: AnyObject) {
        if let instrument = handler as? EMFInstrument { registry.remove(instrument) }
    }
}
