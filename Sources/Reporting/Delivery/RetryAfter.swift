package import SluiceCore

/// The header `Retry-After` (RFC 9110, section 10.2.3).
package enum RetryAfter {
    /// Whole seconds or an HTTP date; anything else is a minute.
    package static func duration(_ text: String?, now: WallClock.Instant) -> Duration {
        guard let text = text?.trimmed, !text.isEmpty else { return .seconds(60) }
        if text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let seconds = Int64(text) {
            return .seconds(min(seconds, 1_000_000_000))
        }
        if let moment = HTTPDate.parse(String(text)) { return max(now.duration(to: moment), .zero) }
        return .seconds(60)
    }
}
