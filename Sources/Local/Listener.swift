internal import SluiceStreaming

/// Accepts connections for ever and gives each a task of its own on the loop.
struct Listener: Sendable {
    let loop: EventLoop
    let socket: Socket

    func run(_ serve: @escaping @Sendable (ServerConnection) async -> Void) async {
        while true {
            do {
                while let accepted = try socket.accept() {
                    let connection = ServerConnection(loop, accepted)
                    Task(executorPreference: loop) { await serve(connection) }
                }
                try await loop.wait(until: .readable, on: socket.descriptor)
            } catch {
                return  // cancelled, or no descriptor left: the process is ending
            }
        }
    }
}
