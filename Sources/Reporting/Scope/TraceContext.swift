internal import SluiceCore

/// The trace that a request belongs to: the caller's, or a new one.
///
/// - SeeAlso: W3C Trace Context, <https://www.w3.org/TR/trace-context/>
package struct TraceContext: Sendable, Hashable {
    /// 32 lower-case hexadecimal digits.
    package var traceID: String
    /// 16 digits: our own span in it.
    package var spanID: String
    /// The caller's span.
    package var parentSpanID: String?
    /// The caller's decision; nil when deferred.
    package var isSampled: Bool?
    /// What else the caller sent with it, in a tracker's own form: names and values. Empty and frozen when it sent a trace without any, nil
    /// when the trace is ours.
    package var frozen: [Member]?
    /// A number from 0 to 1 that everyone in the trace samples with; nil where nobody has drawn it.
    package var random: Double?

    /// One name and its value.
    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A new trace.
    package init() {
        traceID = RandomID.trace()
        spanID = RandomID.span()
    }

    /// The caller's trace, continued with a span of our own.
    package init(
        continuing traceID: String, span: String, isSampled: Bool?, frozen: [Member] = [], random: Double? = nil
    ) {
        self.traceID = traceID
        spanID = RandomID.span()
        parentSpanID = span
        self.isSampled = isSampled
        self.frozen = frozen
        self.random = random
    }

    /// Reads a `traceparent`: `00-<32 hex>-<16 hex>-<flags>`; nil where it is none.
    package static func parseW3C(_ text: String) -> (trace: String, span: String, sampled: Bool?)? {
        let parts = text.trimmed.split(at: "-", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 4, isHex(parts[0], 2, allowsZero: true), parts[0] != "ff", parts[0] != "00" || parts.count == 4,
            isHex(parts[1], 32), isHex(parts[2], 16), isHex(parts[3], 2, allowsZero: true)
        else { return nil }
        // The flag of W3C says "recorded", not "not recorded": 0 leaves the decision open.
        let flags = UInt8(parts[3], radix: 16) ?? 0
        return (parts[1], parts[2], flags & 1 == 1 ? true : nil)
    }

    package static func isHex(_ text: String, _ count: Int, allowsZero: Bool = false) -> Bool {
        text.utf8.count == count && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
            && (allowsZero || text.utf8.contains { $0 != 0x30 })
    }

    /// The value of an outgoing `traceparent`: not sampled unless somebody has decided so.
    package var traceparent: String { "00-\(traceID)-\(spanID)-\(isSampled == true ? "01" : "00")" }
}
