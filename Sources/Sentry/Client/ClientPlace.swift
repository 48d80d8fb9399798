internal import SluiceReporting
internal import Synchronization

/// Where a client is kept. Clients live as long as the process, so that nobody needs a lock to read this: each log record and each
/// span does.
final class ClientPlace: Sendable {
    private let address = Atomic<UInt>(0)
    private let making = Mutex(())

    /// The client, where there is one and it is that of this process.
    func client(of process: ReportingProcess) -> SentryClient? {
        guard let pointer = UnsafeRawPointer(bitPattern: address.load(ordering: .acquiring)) else { return nil }
        let kept = Unmanaged<SentryClient>.fromOpaque(pointer).takeUnretainedValue()
        return kept.process === process ? kept : nil
    }

    /// The client of this process, made at its first use.
    func client(of process: ReportingProcess, _ make: () -> SentryClient) -> SentryClient {
        if let kept = client(of: process) { return kept }
        return making.withLock { _ in
            if let kept = client(of: process) { return kept }
            let made = make()
            if let delivery = made.delivery { Reports.add(delivery) }
            keep(made)
            return made
        }
    }

    func keep(_ client: SentryClient) {
        address.store(UInt(bitPattern: Unmanaged.passRetained(client).toOpaque()), ordering: .releasing)
    }

    func empty() { address.store(0, ordering: .releasing) }
}
