import SluiceTestSupport
import Testing

/// Lines that are written to a descriptor, read one by one.
final class WireLines: @unchecked Sendable {  // used by one test, on one task
    private let socket: RawSocket
    private let sink: RawSocket
    private var held: [UInt8] = []

    init() throws {
        let (listener, port) = RawSocket.listen()
        socket = try #require(RawSocket.connect(port: port))
        sink = try #require(listener.accept())
    }

    /// Where to write.
    var descriptor: CInt { sink.descriptor }

    /// The next line; nil after 20 s without one.
    func next() -> String? {
        while true {
            if let end = held.firstIndex(of: 10) {
                defer { held.removeFirst(end + 1) }
                return String(decoding: held[..<end], as: UTF8.self)
            }
            let part = socket.read()
            if part.isEmpty { return nil }
            held += part
        }
    }
}
