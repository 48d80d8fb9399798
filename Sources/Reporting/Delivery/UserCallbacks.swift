/// The app's own code that sees events before they leave, and the share of them that does.
package struct UserCallbacks: Sendable {
    package var processors: [@Sendable (ReportEvent) throws -> ReportEvent?]
    package var beforeSend: (@Sendable (ReportEvent) throws -> ReportEvent?)?
    /// The share of what they leave over, 0 to 1.
    package var sampleRate: Double

    package init(
        processors: [@Sendable (ReportEvent) throws -> ReportEvent?] = [],
        beforeSend: (@Sendable (ReportEvent) throws -> ReportEvent?)? = nil, sampleRate: Double = 1
    ) {
        self.processors = processors
        self.beforeSend = beforeSend
        self.sampleRate = sampleRate
    }

    package var isEmpty: Bool { processors.isEmpty && beforeSend == nil }

    /// What became of an event.
    enum Verdict: Sendable {
        case event(ReportEvent)
        case drop(DropReason, String)
        /// Dropped by what is made for that: nobody needs to hear of it.
        case leaveOut(DropReason)
    }

    func run(_ event: ReportEvent) -> Verdict {
        var event = event
        do {
            for process in processors {
                guard let next = try process(event) else { return .leaveOut(.eventProcessor) }
                event = next
            }
        } catch {
            return .drop(.eventProcessor, "an event processor threw \(error)")
        }
        do {
            if let beforeSend {
                guard let next = try beforeSend(event) else { return .drop(.beforeSend, "beforeSend dropped it") }
                event = next
            }
        } catch {
            return .drop(.beforeSend, "beforeSend threw \(error)")
        }
        return .event(event)
    }
}
