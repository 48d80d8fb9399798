internal import Logging
internal import SluiceCore
internal import Synchronization

/// Delivers a reporter's reports, with the guarantees of Sluice's own: an event is on disk before ``submit(_:)`` returns (where
/// the spool can be written: 64 MB, three days), leaves with a flush, is repeated under its id when a connection died in a
/// freeze, and waits in the spool while the server is away. What becomes of it is in the invocation's ledger.
///
/// It is a handle: the thread and the queue behind it are made when the app runs. Make one for each reporter, and keep it. It
/// works while `LambdaApp.run()` does; in a test nothing is sent.
public final class ReportDelivery: Sendable {
    private let destination: ReportDestination
    private let format: any ReportFormat
    private let name: String
    private let problems: [Problem]

    /// What is wrong with a reporter's settings, to be said when the app starts.
    package enum Problem: Sendable, Equatable {
        /// Nothing can be sent.
        case error(String)
        case warning(String)
    }

    /// The delivery, of the hub that it was made for.
    private let made = Mutex<(hub: ReportHub, delivery: Delivery?)?>(nil)

    /// - Parameters:
    ///   - destination: Where requests go.
    ///   - format: How they look, and what responses mean.
    ///   - name: The reporter's name, for the log.
    public convenience init(to destination: ReportDestination, as format: any ReportFormat, name: String = "reports") {
        self.init(
            to: destination, as: format, name: name,
            problems: destination.isUsable ? [] : [.error("\(name): the destination is no http or https URL; nothing is sent")])
    }

    package init(to destination: ReportDestination, as format: any ReportFormat, name: String, problems: [Problem]) {
        self.problems = problems
        self.destination = destination
        self.format = format
        self.name = name
    }

    /// Starts its thread, and finds what an earlier process left behind: it leaves after the first reply. For a reporter's
    /// `begin()`; else the first report does it.
    public func begin() { _ = delivery }

    /// Takes one report. It is on disk when this returns.
    public func submit(_ event: ReportEvent) {
        delivery?.submit(event, owner: Reports.scopeForChanges.ledger)
    }

    /// Waits until the server has all that the current invocation submitted, and no longer than `limit` or the time that is
    /// left. With nothing pending it costs nothing.
    public func flush(within limit: Duration) async {
        guard let ledger = Reports.currentScope?.ledger, ledger.hasPending else { return }
        await delivery?.flush(ledger, drains: false, within: max(InvocationScope.current?.budget(limit) ?? limit, .zero))
    }

    private var delivery: Delivery? { Reports.hub.flatMap { delivery(of: $0) } }

    private func delivery(of hub: ReportHub) -> Delivery? {
        made.withLock { made in
            if let made, made.hub === hub { return made.delivery }
            let diagnostics = Diagnostics(name, hub.process.logger, isDebug: false)
            var isUsable = true
            for problem in problems {
                switch problem {
                case .error(let text):
                    isUsable = false
                    diagnostics.say(.error, text)
                case .warning(let text): diagnostics.say(.warning, text)
                }
            }
            let delivery =
                isUsable
                ? Delivery(to: destination, as: format, spoolRoot: hub.process.spoolRoot, diagnostics) : nil
            made = (hub, delivery)
            if let delivery {
                delivery.start()
                hub.add(delivery)
            }
            return delivery
        }
    }
}
