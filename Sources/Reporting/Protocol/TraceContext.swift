internal import SluiceCore

/// The trace that a request belongs to: the caller's, or a new one.
///
/// - SeeAlso: Sentry's developer documentation, "Trace propagation" and "Dynamic sampling context"; W3C Trace Context.
struct TraceContext: Sendable, Hashable {
    /// 32 lower-case hexadecimal digits.
    var traceID: String
    /// 16 digits: our own span in it.
    var spanID: String
    /// The caller's span.
    var parentSpanID: String?
    /// The caller's decision; nil when deferred.
    var isSampled: Bool?
    /// The caller's `sentry-` baggage; empty and frozen when it sent a trace without one, nil when the trace is ours.
    var frozen: [Baggage.Member]?
    /// A number from 0 to 1 that everyone in the trace samples with.
    var random: Double?

    /// A new trace.
    init() {
        traceID = ReportID.trace()
        spanID = ReportID.span()
    }

    /// The caller's trace where its headers can be read and continued, or a new one.
    ///
    /// - Parameters:
    ///   - header: The value of a header by its lower-case name.
    ///   - organization: Our own organisation's id.
    ///   - strict: Whether a trace is continued only when both sides name the same organisation, or neither.
    init(header: (String) -> String?, organization: String? = nil, isStrict: Bool = false) {
        self.init()
        let baggage = header("baggage").map { Baggage($0) }
        let incoming = header("sentry-trace").flatMap(Self.parseSentryTrace) ?? header("traceparent").flatMap(Self.parseW3C)
        guard let incoming else { return }
        let theirs = baggage?.sentry.first { $0.name.isSame(as: "org_id") }?.value
        guard Self.mayContinue(ours: organization, theirs: theirs, isStrict: isStrict) else { return }
        traceID = incoming.trace
        parentSpanID = incoming.span
        isSampled = incoming.sampled
        frozen = baggage?.sentry ?? []
        random = Self.random(baggage?.sentry ?? [], isSampled: isSampled)
    }

    static func mayContinue(ours: String?, theirs: String?, isStrict: Bool) -> Bool {
        switch (ours, theirs) {
        case (let ours?, let theirs?): ours.isSame(as: theirs)
        case (nil, nil): true
        default: !isStrict
        }
    }

    /// From the baggage, or in the half that the caller's decision allows.
    private static func random(_ members: [Baggage.Member], isSampled: Bool?) -> Double {
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
        return min((value * 1e6).rounded(.down) / 1e6, 0.999999)
    }

    /// `<32 hex>-<16 hex>[-0|-1]`, blanks around it allowed.
    static func parseSentryTrace(_ text: String) -> (trace: String, span: String, sampled: Bool?)? {
        let parts = text.trimmed.split(at: "-", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 || parts.count == 3, isHex(parts[0], 32), isHex(parts[1], 16) else { return nil }
        guard parts.count == 3 else { return (parts[0], parts[1], nil) }
        guard parts[2] == "1" || parts[2] == "0" else { return nil }
        return (parts[0], parts[1], parts[2] == "1")
    }

    /// `00-<32 hex>-<16 hex>-<flags>`.
    static func parseW3C(_ text: String) -> (trace: String, span: String, sampled: Bool?)? {
        let parts = text.trimmed.split(at: "-", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 4, isHex(parts[0], 2, allowsZero: true), parts[0] != "ff", parts[0] != "00" || parts.count == 4,
            isHex(parts[1], 32), isHex(parts[2], 16), isHex(parts[3], 2, allowsZero: true)
        else { return nil }
        // The flag of W3C says "recorded", not "not recorded": 0 leaves the decision open.
        let flags = UInt8(parts[3], radix: 16) ?? 0
        return (parts[1], parts[2], flags & 1 == 1 ? true : nil)
    }

    private static func isHex(_ text: String, _ count: Int, allowsZero: Bool = false) -> Bool {
        text.utf8.count == count && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
            && (allowsZero || text.utf8.contains { $0 != 0x30 })
    }

    /// The value of an outgoing `sentry-trace`: no flag where nobody has decided.
    var sentryTrace: String { "\(traceID)-\(spanID)" + (isSampled.map { $0 ? "-1" : "-0" } ?? "") }

    /// The dynamic sampling context: the caller's, unchanged, or our own.
    func sampling(publicKey: String, release: String?, environment: String?, organization: String?) -> [(String, String)] {
        if let frozen { return frozen.map { ($0.name, $0.value) } }
        var context = [("trace_id", traceID), ("public_key", publicKey)]
        if let release { context.append(("release", release)) }
        if let environment { context.append(("environment", environment)) }
        if let organization { context.append(("org_id", organization)) }
        return context
    }
}
