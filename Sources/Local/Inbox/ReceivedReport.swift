/// A report that came while its invocation was not answered yet: how long before the end, only the end can tell.
struct ReceivedReport: Sendable {
    let line: String
    let received: ContinuousClock.Instant

    /// The line, with the time.
    func line(responseEnded: ContinuousClock.Instant) -> String {
        "\(line)  \(ReportTiming(received: received, responseEnded: responseEnded))"
    }
}
