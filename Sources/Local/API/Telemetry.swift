internal import SluiceCore
internal import SluiceStreaming

/// What the platform says of the sandbox and its invocations, to whoever has subscribed. Confined to the event loop.
final class Telemetry: @unchecked Sendable {  // used on the loop's thread only
    private var pushers: [String: TelemetryPusher] = [:]
    /// Every so many invocations are told as errors that were none; nil for never.
    private let lieEvery: Int?
    private var told = 0
    private var started = ContinuousClock.now

    init(lieEvery: Int?) { self.lieEvery = lieEvery }

    var hasSubscribers: Bool { !pushers.isEmpty }

    /// The process has ended, or there is a new one: nobody has subscribed yet.
    func reset() {
        for pusher in pushers.values { pusher.stop() }
        pushers = [:]
        started = .now
    }

    func subscribe(_ id: String, _ pusher: TelemetryPusher, name: String, types: [String]) {
        pushers[id]?.stop()
        pushers[id] = nil
        let list = types.map { "\"\($0)\"" }.joined(separator: ",")
        // Records of the other kinds are log lines, which are the console's here.
        if types.contains("platform") { pushers[id] = pusher }
        push("telemetrySubscription", "{\"name\":\(Self.quoted(name)),\"state\":\"Subscribed\",\"types\":[\(list)]}")
        push("initStart", "{\"initializationType\":\"on-demand\",\"phase\":\"init\",\"functionName\":\"local\"}")
    }

    /// The runtime has asked for its first invocation.
    func initDone() {
        let time = Self.milliseconds(.now - started)
        push("initRuntimeDone", "{\"initializationType\":\"on-demand\",\"phase\":\"init\",\"status\":\"success\"}")
        push(
            "initReport",
            "{\"initializationType\":\"on-demand\",\"phase\":\"init\",\"status\":\"success\",\"metrics\":{\"durationMs\":\(time)}}"
        )
    }

    func start(_ invocation: LocalInvocation) {
        push("start", "{\"requestId\":\"\(invocation.id)\",\"version\":\"$LATEST\"}")
    }

    /// The runtime is done with an invocation: it has answered, and asks for the next one.
    func done(_ invocation: LocalInvocation) {
        told += 1
        var error = invocation.platformError
        if let lieEvery, told % lieEvery == 0 { error = error ?? "Runtime.Unknown" }
        let status = error.map { "\"status\":\"error\",\"errorType\":\(Self.quoted($0))" } ?? "\"status\":\"success\""
        let end = invocation.responseEnded ?? .now
        let first = invocation.responseBegan ?? end
        let whole = Self.milliseconds(end - invocation.began)
        let spans = """
            [{"name":"responseLatency","start":"\(Self.time(invocation.began))",\
            "durationMs":\(Self.milliseconds(first - invocation.began))},\
            {"name":"responseDuration","start":"\(Self.time(first))","durationMs":\(Self.milliseconds(end - first))}]
            """
        push(
            "runtimeDone",
            """
            {"requestId":"\(invocation.id)",\(status),"spans":\(spans),\
            "metrics":{"durationMs":\(whole),"producedBytes":\(invocation.producedBytes)}}
            """)
        push(
            "report",
            """
            {"requestId":"\(invocation.id)",\(status),"metrics":{"durationMs":\(whole),\
            "billedDurationMs":\(Int(whole.rounded(.up))),"memorySizeMB":128,"maxMemoryUsedMB":64}}
            """)
    }

    private func push(_ type: String, _ record: String) {
        guard hasSubscribers else { return }
        let text = "{\"time\":\"\(Self.time(.now))\",\"type\":\"platform.\(type)\",\"record\":\(record)}"
        for pusher in pushers.values { pusher.add(text) }
    }

    private static func milliseconds(_ time: Duration) -> Double {
        let (seconds, attoseconds) = time.components
        return Double(seconds) * 1000 + Double(attoseconds / 1_000_000_000_000) / 1000
    }

    private static func time(_ moment: ContinuousClock.Instant) -> String {
        let ago = (ContinuousClock.now - moment).milliseconds
        return Timestamp.text(.init(millisecondsSinceEpoch: SluiceLocal.WallClock.milliseconds - Int64(ago)))
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
