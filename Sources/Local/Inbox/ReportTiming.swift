/// When a report came, relative to the end of its invocation's response: what comes after it, Lambda may freeze away.
enum ReportTiming: Equatable, CustomStringConvertible {
    case before(Duration)
    case after(Duration)
    /// It names no invocation, and this many were in flight.
    case oneOf(Int)
    case outside

    init(received: ContinuousClock.Instant, responseEnded: ContinuousClock.Instant) {
        self = received <= responseEnded ? .before(responseEnded - received) : .after(received - responseEnded)
    }

    var description: String {
        switch self {
        case .before(let time): "\(time.shownInMilliseconds) before the response ended"
        case .after(let time): "\(time.shownInMilliseconds) AFTER the response ended"
        case .oneOf(let count): "in one of \(count) invocations"
        case .outside: "outside of an invocation"
        }
    }
}

extension Duration {
    /// The milliseconds with one decimal, cut off: `3.1 ms`.
    var shownInMilliseconds: String {
        let (seconds, attoseconds) = components
        let tenths = seconds * 10_000 + attoseconds / 100_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) ms"
    }
}
