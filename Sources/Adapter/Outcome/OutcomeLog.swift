/// Writes what is told of an invocation that is over, before the next one is asked for.
struct OutcomeLog: Sendable {
    private let metrics: OutcomeSettings.Metrics?
    private let registry: EMFRegistry
    private let sink: LogSink

    /// Nil where nothing is to be written.
    init?(_ settings: OutcomeSettings, registry: EMFRegistry = EMFMetrics.registry, sink: LogSink = .standardOutput) {
        guard settings.isOn else { return nil }
        metrics = settings.metrics
        self.registry = registry
        self.sink = sink
    }

    func write(_ outcome: InvocationOutcome) {
        sink.send(outcome.line(metrics: metrics))
        guard let metrics else { return }
        for line in registry.takeLines(metrics) { sink.send(line) }
    }
}
