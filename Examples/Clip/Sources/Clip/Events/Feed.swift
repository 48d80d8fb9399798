/// Tells everybody who listens of new links. It knows those of this process alone: the database has all of them.
actor Feed {
    private var listeners: [AsyncStream<Link>.Continuation] = []

    /// The links that are sent from now on; ends when the time is over.
    func listen(for time: Duration) -> AsyncStream<Link> {
        let (stream, continuation) = AsyncStream.makeStream(of: Link.self, bufferingPolicy: .bufferingOldest(100))
        let timer = Task {
            try? await Task.sleep(for: time)  // cancelled once nobody listens any more
            continuation.finish()
        }
        continuation.onTermination = { _ in timer.cancel() }
        listeners.append(continuation)
        return stream
    }

    /// Who cannot keep up is let go: when they connect again, the database tells them what they have missed.
    func send(_ link: Link) {
        listeners.removeAll { listener in
            if case .enqueued = listener.yield(link) { return false }
            listener.finish()
            return true
        }
    }
}
