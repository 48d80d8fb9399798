import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceStreaming

@Suite struct HeldWritesTests {
    private func pair() throws -> (ours: Socket, theirs: RawSocket) {
        let listener = try Socket.listen(onLoopbackPort: 0)
        let theirs = try #require(RawSocket.connect(port: listener.localPort))
        while true { if let ours = try listener.accept() { return (ours, theirs) } }
    }

    @Test("what is held is the sender's to send, in order and once")
    func order() throws {
        let (ours, theirs) = try pair()
        let held = HeldWrites(ours, patience: .max)
        #expect(held.append([1], [2, 3], [4]))
        #expect(held.append([], [5], []))
        #expect(held.take() == [1, 2, 3, 4, 5])
        #expect(held.take() == [])
        #expect(held.sendNow())
        #expect(held.append([6], [7], [8]))
        #expect(held.sendNow())
        #expect(theirs.read(3) == [6, 7, 8])
    }

    @Test("no more than 16 KiB are held")
    func limit() throws {
        let (ours, _) = try pair()
        let held = HeldWrites(ours, patience: .max)
        let most = [UInt8](repeating: 0, count: 16_384)
        #expect(!held.append([], most, [0]))
        #expect(held.append([], most, []))
        #expect(!held.append([], [0], []))
        #expect(held.take().count == 16_384)
    }

    @Test("a stream that is over keeps neither bytes nor its connection, whoever else still knows of it")
    func retired() throws {
        let (listener, theirs) = try { () throws -> (Socket, RawSocket) in
            let listener = try Socket.listen(onLoopbackPort: 0)
            return (listener, try #require(RawSocket.connect(port: listener.localPort)))
        }()
        var ours: Socket?
        while ours == nil { ours = try listener.accept() }
        let held = HeldWrites(try #require(ours), patience: .max)
        ours = nil
        #expect(held.append([1], [2], [3]))
        held.retire()
        #expect(!held.append([1], [2], [3]))
        #expect(held.take() == [])
        // The end of the connection, and not a byte before it.
        #expect(theirs.readToEnd() == [])
        withExtendedLifetime(held) {}
    }

    @Test("what nobody comes back for leaves all the same: its writer may compute, or block, for ever")
    func ticker() throws {
        let (ours, theirs) = try pair()
        let held = HeldWrites(ours)
        #expect(held.append([1], [2], [3]))
        // Nothing here sends it.
        #expect(theirs.read(3) == [1, 2, 3])
        #expect(held.take() == [])
    }
}
