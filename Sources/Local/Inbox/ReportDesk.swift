/// Tells the console what was received, and to which invocation it belongs. Used on the event loop only.
struct ReportDesk: Sendable {
    let broker: Broker
    let console: Console

    func take(_ content: IngestRequest.Content) {
        switch content {
        case .compressed(let encoding, let bytes): report(ReportLine.compressed(encoding, bytes: bytes), of: nil)
        case .items(let items): for item in items { take(item) }
        }
    }

    private func take(_ item: ReportedItem) {
        switch item {
        case .event(let event): report(ReportLine.event(event), of: event.requestID)
        case .transaction(let one): report(ReportLine.transaction(one), of: one.requestID)
        case .logs(let count): console.line(ReportLine.logs(count))
        case .clientReport(let discarded): console.line(ReportLine.clientReport(discarded))
        case .other(let type, let bytes): console.line(ReportLine.other(type, bytes: bytes))
        }
    }

    private func report(_ line: String, of requestID: String?) {
        let report = ReceivedReport(line: line, received: .now)
        let candidates = candidates(of: requestID)
        if candidates.count > 1 {
            console.line("\(line)  \(ReportTiming.oneOf(candidates.count))")
        } else if let invocation = candidates.first {
            invocation.reportCount += 1
            guard let end = invocation.responseEnded else { return invocation.reports.append(report) }
            console.line(report.line(responseEnded: end))
        } else if let end = requestID.flatMap({ broker.recentResponses[$0] }) {
            console.line(report.line(responseEnded: end))
        } else {
            console.line("\(line)  \(ReportTiming.outside)")
        }
    }

    /// The one that the id names, when the report has an id; else those that run, or are still being delivered.
    private func candidates(of requestID: String?) -> [LocalInvocation] {
        if let requestID { return [broker.inFlight[requestID]].compactMap { $0 } }
        let open = broker.inFlight.values.filter { $0.responseEnded == nil }
        return open.isEmpty ? Array(broker.inFlight.values) : open
    }
}
