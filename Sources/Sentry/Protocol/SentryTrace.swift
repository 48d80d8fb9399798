internal import SluiceCore
internal import SluiceReporting

/// How a trace travels between Sentry's SDKs: the headers `sentry-trace` and `baggage`.
///
/// - SeeAlso: Sentry's developer documentation, "Trace propagation" and "Dynamic sampling context".
enum SentryTrace {
    /// The caller's trace where its headers can be read and continued; nil where a new one is to begin.
    ///
    /// - Parameters:
    ///   - header: The value of a header by its lower-case name.
    ///   - organization: Our own organisation's id.
    ///   - isStrict: Whether a trace is continued only when both sides name the same organisation, or neither.
    static func continued(
        header: (String) -> String?, organization: String? = nil, isStrict: Bool = false
    ) -> TraceContext? {
        let incoming =
            header("sentry-trace").flatMap(parseSentryTrace) ?? header("traceparent").flatMap(TraceContext.parseW3C)
        guard let incoming else { return nil }
        let members = header("baggage").map { Baggage($0).sentry } ?? []
        let theirs = members.first { $0.name.isSame(as: "org_id") }?.value
        guard mayContinue(ours: organization, theirs: theirs, isStrict: isStrict) else { return nil }
        return TraceContext(
            continuing: incoming.trace, span: incoming.span, isSampled: incoming.sampled, frozen: members,
            random: random(members, isSampled: incoming.sampled))
    }

    static func mayContinue(ours: String?, theirs: String?, isStrict: Bool) -> Bool {
        switch (ours, theirs) {
        case (let ours?, let theirs?): ours.isSame(as: theirs)
        case (nil, nil): true
        default: !isStrict
        }
    }

    /// The number in the baggage, or one in the half that the caller's decision allows.
    private static func random(_ members: [TraceContext.Member], isSampled: Bool?) -> Double {
        if let text = members.first(where: { $0.name.isSame(as: "sample_rand") })?.value, let value = Double(text),
            (0..<1).contains(value)
        {
            return value
        }
        let rate = members.first { $0.name.isSame(as: "sample_rate") }.flatMap { Double($0.value) }.map { min(max($0, 0), 1) }
        let value: Double =
            switch (rate, isSampled) {
            case (let rate?, true?) where rate > 0: .random(in: 0..<rate)
            case (let rate?, false?) where rate < 1: .random(in: rate..<1)
            default: .random(in: 0..<1)
            }
        return sixDecimals(value)
    }

    private static func sixDecimals(_ value: Double) -> Double { min((value * 1e6).rounded(.down) / 1e6, 0.999999) }

    /// Whether a trace is sent: the caller decides, and else a number that all of the trace share.
    static func decided(_ trace: TraceContext, rate: Double) -> TraceContext {
        guard trace.isSampled == nil else { return trace }
        var trace = trace
        let random = trace.random ?? sixDecimals(.random(in: 0..<1))
        (trace.random, trace.isSampled) = (random, random < rate)
        return trace
    }

    /// `<32 hex>-<16 hex>[-0|-1]`, blanks around it allowed.
    static func parseSentryTrace(_ text: String) -> (trace: String, span: String, sampled: Bool?)? {
        let parts = text.trimmed.split(at: "-", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 || parts.count == 3, TraceContext.isHex(parts[0], 32), TraceContext.isHex(parts[1], 16) else {
            return nil
        }
        guard parts.count == 3 else { return (parts[0], parts[1], nil) }
        guard parts[2] == "1" || parts[2] == "0" else { return nil }
        return (parts[0], parts[1], parts[2] == "1")
    }
}

extension TraceContext {
    /// The value of an outgoing `sentry-trace`: no flag where nobody has decided.
    var sentryTrace: String { "\(traceID)-\(spanID)" + (isSampled.map { $0 ? "-1" : "-0" } ?? "") }

    /// The dynamic sampling context: the caller's, unchanged, or our own.
    ///
    /// - Parameter rate: The share of traces that is sent; nil where none is.
    func sampling(
        publicKey: String, release: String?, environment: String?, organization: String?, rate: Double? = nil
    ) -> [(String, String)] {
        if let frozen { return frozen.map { ($0.name, $0.value) } }
        var context = [("trace_id", traceID), ("public_key", publicKey)]
        if let release { context.append(("release", release)) }
        if let environment { context.append(("environment", environment)) }
        if let organization { context.append(("org_id", organization)) }
        if let rate, let isSampled {
            context.append(("sample_rate", "\(rate)"))
            if let random { context.append(("sample_rand", "\(random)")) }
            context.append(("sampled", isSampled ? "true" : "false"))
        }
        return context
    }
}
