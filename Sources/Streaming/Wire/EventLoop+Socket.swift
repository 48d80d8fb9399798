package import SluiceCore

extension EventLoop {
    /// Sends everything, suspending while the kernel's buffer is full: the back-pressure.
    ///
    /// Not cancellable: a message that has begun is completed, or the connection fails.
    /// - Throws: ``SystemError`` when the connection is gone.
    package func send(_ pieces: [ArraySlice<UInt8>], on socket: Socket) async throws {
        var rest = pieces
        while true {
            if let sent = try socket.send(rest) {
                rest = rest.dropping(sent)
                if rest.isEmpty { return }
            }
            // Whoever takes a part only is full.
            try await wait(until: .writable, on: socket.descriptor, cancellable: false)
        }
    }

    package func send(_ bytes: [UInt8], on socket: Socket) async throws {
        let sent = try bytes.withUnsafeBytes { (bytes) throws(SystemError) in try socket.send(bytes) } ?? 0
        if sent < bytes.count { try await send([bytes[sent...]], on: socket) }
    }

    /// Fills `space` from the front with what has arrived; nil at the end of the stream.
    ///
    /// - Parameters:
    ///   - expectsWait: Whether nothing can have arrived yet: saves the call that would find that out.
    ///   - space: Asked for anew after each wait, and never empty.
    package func receive(
        from socket: Socket, expectsWait: Bool, cancellable: Bool = true,
        into space: () -> UnsafeMutableRawBufferPointer
    ) async throws -> Int? {
        if expectsWait { try await wait(until: .readable, on: socket.descriptor, cancellable: cancellable) }
        while true {
            switch try socket.receive(into: space()) {
            case .bytes(let count): return count
            case .end: return nil
            case .wouldBlock: try await wait(until: .readable, on: socket.descriptor, cancellable: cancellable)
            }
        }
    }

    /// Appends what arrives next to `buffer`, at most 64 KiB; false at the end of the stream.
    package func receive(
        appendingTo buffer: inout [UInt8], from socket: Socket, cancellable: Bool = true
    ) async throws -> Bool {
        while true {
            var outcome = Socket.Received.wouldBlock
            try buffer.appendUninitialized(65_536) { space throws(SystemError) in
                outcome = try socket.receive(into: space)
                if case .bytes(let count) = outcome { return count }
                return 0
            }
            switch outcome {
            case .bytes: return true
            case .end: return false
            case .wouldBlock: try await wait(until: .readable, on: socket.descriptor, cancellable: cancellable)
            }
        }
    }
}

extension [ArraySlice<UInt8>] {
    /// What is left when the first `count` bytes have gone.
    func dropping(_ count: Int) -> Self {
        var left = count
        var rest: Self = []
        for piece in self {
            if piece.count <= left {
                left -= piece.count
            } else {
                rest.append(piece.dropFirst(left))
                left = 0
            }
        }
        return rest
    }
}

extension [UInt8] {
    /// Grows by what `fill` says it wrote into the space that it was lent.
    package mutating func appendUninitialized(
        _ capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(SystemError) -> Int
    ) throws(SystemError) {
        var failure: SystemError?
        let added = [UInt8](unsafeUninitializedCapacity: capacity) { space, written in
            do throws(SystemError) {
                written = try fill(UnsafeMutableRawBufferPointer(space))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        if isEmpty { self = added } else { append(contentsOf: added) }
    }
}
