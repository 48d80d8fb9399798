/// Passes words on to everyone who listens.
actor Room {
    private var listeners: [AsyncStream<String>.Continuation] = []

    /// What is said from now on; the first word is a greeting.
    func join() -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        listeners.append(continuation)
        continuation.yield("welcome")
        return stream
    }

    /// The number of those who hear it.
    func say(_ word: String) -> Int {
        for listener in listeners { listener.yield(word) }
        return listeners.count
    }

    /// Ends every listener's stream.
    func close() -> Int {
        defer { listeners = [] }
        for listener in listeners { listener.finish() }
        return listeners.count
    }
}
