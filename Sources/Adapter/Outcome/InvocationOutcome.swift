internal import SluiceCore
internal import SluiceReporting

/// How one invocation ended, in figures: a machine reads them.
struct InvocationOutcome: Sendable {
    let requestID: String
    /// The first failure on record; nil where there is none.
    let failure: Failure.Outcome?
    let end: ReplyEnd
    let isColdStart: Bool
    /// From the event to the end of the reply, in nanoseconds.
    let duration: Int64
    /// Of that, and of what came after the reply, what was spent on the delivery of reports, in nanoseconds.
    let flush: Int64
    let reports: ReportLedger

    /// The scope's part of it, as it is now.
    init(_ scope: InvocationScope, _ end: ReplyEnd, isColdStart: Bool, duration: Int64) {
        requestID = scope.requestID
        failure = scope.state.outcome
        self.end = end
        self.isColdStart = isColdStart
        self.duration = duration
        flush = scope.state.flushTime
        reports = Reports.scope(following: scope)?.ledger.now ?? ReportLedger()
    }

    /// `2xx` and so on; `none` where there was no response.
    var statusClass: String { end.status.map { "\($0 / 100)xx" } ?? "none" }

    /// One JSON object and a line feed.
    ///
    /// - Parameter metrics: Where the same object is metrics too.
    func line(metrics: OutcomeSettings.Metrics? = nil, at time: WallClock.Instant = .now) -> [UInt8] {
        var json = JSONWriter(reserving: 512)
        json.object { json in
            json.field("type", "sluice.outcome")
            json.field("requestId", requestID)
            json.field("outcome", failure?.rawValue ?? "ok")
            json.key("status")
            if let status = end.status { json.number(status) } else { json.null() }
            json.field("coldStart", isColdStart)
            json.key("durationMs")
            json.number(Self.milliseconds(duration))
            json.key("flushMs")
            json.number(Self.milliseconds(flush))
            json.field("bytes", end.bytes)
            json.key("reports")
            json.object { json in
                json.field("captured", reports.captured)
                for (name, count) in lines { json.field(name, count) }
            }
            if let metrics { write(metrics, time, to: &json) }
        }
        return json.bytes + [0x0A]
    }

    private var lines: [(String, Int)] {
        [
            ("pending", reports.pending), ("delivered", reports.delivered), ("spooled", reports.spooled),
            ("refused", reports.refused.values.reduce(0, +)), ("dropped", reports.dropped.values.reduce(0, +)),
        ]
    }

    /// To the microsecond.
    private static func milliseconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds / 1000) / 1000 }

    // MARK: Metrics

    private func write(_ metrics: OutcomeSettings.Metrics, _ time: WallClock.Instant, to json: inout JSONWriter) {
        let counts = lines.map { ("reports.\($0)", $1) }
        json.field(EMF.functionName, metrics.functionName)
        json.field("statusClass", statusClass)
        json.field("invocations", 1)
        json.field("coldStarts", isColdStart ? 1 : 0)
        for (name, count) in counts { json.field(name, count) }
        EMF.write(
            [
                EMF.Directive(
                    dimensions: [[EMF.functionName, "outcome"], [EMF.functionName, "statusClass"]],
                    metrics: [("invocations", .count)]),
                EMF.Directive(
                    dimensions: [[EMF.functionName]],
                    metrics: [
                        ("coldStarts", .count), ("durationMs", .milliseconds), ("flushMs", .milliseconds), ("bytes", .bytes),
                    ] + counts.map { ($0.0, .count) }),
            ], namespace: metrics.namespace, time, to: &json)
    }
}
