internal import Synchronization

/// Ends a writer, all copies of it: closed as soon as the closure that the writer was lent to has returned.
package final class Seal: Sendable {
    private let closed = Atomic(false)
    /// The seal of the writer that this one was made from.
    private let outer: Seal?

    init(in outer: Seal?) { self.outer = outer }

    func close() { closed.store(true, ordering: .releasing) }

    /// Whether the writer's time is over.
    package var isClosed: Bool { closed.load(ordering: .acquiring) || outer?.isClosed == true }
}

extension Seal? {
    /// - Throws: ``BodyWriterError/finished`` where the writer's time is over. To be called where the bytes are taken, so that none
    ///   is taken afterwards.
    package func check() throws(BodyWriterError) {
        if let self, self.isClosed { throw .finished }
    }
}
