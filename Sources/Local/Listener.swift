internal import SluiceStreaming

/// Accepts connections for ever and gives each a task of its own on the loop.
struct Listener: Sendable {
    let loop: EventLoop
    let socket: Socket
    let console: Console

    func run(_ serve: @escaping @Sendable (ServerConnection) async -> Void) async {
        while true {
            do {
                while let accepted = try socket.accept() {
                    let connection = ServerConnection(loop, accepted)
                    Task(executorPreference: loop) { await serve(connection) }
                }
                try await loop.wait(until: .readable, on: socket.descriptor)
            } catch is CancellationError {
                return
            } catch {
                console.problem("a connection was not accepted: \(error)")
                // Out of descriptors, most likely: others close soon, and a busy loop would help nobody.
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
    }
}
