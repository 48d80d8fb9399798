package import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// One stream socket, non-blocking, without Nagle's delay, closed once.
///
/// TCP_NODELAY is set on every one: without it a streamed response waits 40 ms for the peer's delayed acknowledgement.
package final class Socket: Sendable {
    package enum Received: Equatable { case bytes(Int), end, wouldBlock }

    package let descriptor: CInt

    /// Takes over a connected descriptor.
    package init(adopting descriptor: CInt) {
        self.descriptor = descriptor
        Self.configure(descriptor)
    }

    private static func configure(_ descriptor: CInt) {
        var one: CInt = 1
        // Fails only on sockets that are not TCP, which have no such delay.
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
        // A socket has no other status flags.
        _ = fcntl(descriptor, F_SETFL, O_RDWR | O_NONBLOCK)
        #if !canImport(Glibc)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        #endif
    }

    /// How much the kernel keeps of what was sent, 64 KiB to 2 MiB or so; it doubles the number. Left alone it grows past the
    /// processor's cache while a large body is sent, which then costs twice as much.
    package func keepSendBufferSmall() {
        var size: CInt = 262_144
        // Without effect where it is not permitted: then as above.
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<CInt>.size))
    }

    deinit { close(descriptor) }

    /// Connects, blocking: meant for loopback, where the kernel answers at once. Call it on a thread of ours.
    package convenience init(connectingTo host: String, port: UInt16) throws(SystemError) {
        var last = SystemError(code: ECONNREFUSED, call: "connect")
        for address in try Self.resolve(host, port) {
            let descriptor = socket(CInt(address.family), Self.stream, 0)
            guard descriptor >= 0 else { throw .last("socket") }
            let code = address.withSockaddr { connect(descriptor, $0, $1) }
            if code == 0 {
                self.init(adopting: descriptor)
                return
            }
            last = .last("connect")
            close(descriptor)
        }
        throw last
    }

    /// Listens on a loopback port; 0 lets the kernel choose.
    ///
    /// - Throws: ``SystemError`` with `EADDRINUSE` when the port is taken.
    package static func listen(onLoopbackPort port: UInt16) throws(SystemError) -> Socket {
        try listen(at: Address(loopbackPort: port))
    }

    /// Listens on the first address of a host that is this machine's, on a port that the kernel chooses.
    ///
    /// - Throws: ``SystemError`` when there is no such host, or when it is another machine.
    package static func listen(onHost host: String) throws(SystemError) -> Socket {
        var last = SystemError(code: EADDRNOTAVAIL, call: "bind")
        for address in try resolve(host, 0) {
            do throws(SystemError) {
                return try listen(at: address)
            } catch {
                last = error
            }
        }
        throw last
    }

    private static func listen(at address: Address) throws(SystemError) -> Socket {
        let descriptor = socket(address.family, stream, 0)
        guard descriptor >= 0 else { throw .last("socket") }
        var one: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
        let result = Self(adopting: descriptor)
        let code = address.withSockaddr { bind(descriptor, $0, $1) }
        guard code == 0 else { throw .last("bind") }
        #if canImport(Glibc)
        guard Glibc.listen(descriptor, 256) == 0 else { throw .last("listen") }
        #else
        guard Darwin.listen(descriptor, 256) == 0 else { throw .last("listen") }
        #endif
        return result
    }

    private static var stream: CInt {
        #if canImport(Glibc)
        CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        #else
        SOCK_STREAM
        #endif
    }

    /// The port that a listening socket has.
    package var localPort: UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return code == 0 ? UInt16(bigEndian: address.sin_port) : 0
    }

    /// The next waiting connection, or nil when there is none.
    package func accept() throws(SystemError) -> Socket? {
        #if canImport(Glibc)
        let accepted = Glibc.accept(descriptor, nil, nil)
        if accepted >= 0 { _ = fcntl(accepted, F_SETFD, FD_CLOEXEC) }
        #else
        let accepted = Darwin.accept(descriptor, nil, nil)
        #endif
        if accepted >= 0 { return Socket(adopting: accepted) }
        // A peer that gave up while queueing is not an error of the listener.
        if [EAGAIN, EWOULDBLOCK, EINTR, ECONNABORTED].contains(errno) { return nil }
        throw .last("accept")
    }

    /// Sends what the kernel takes now: the number of bytes, or nil when its buffer is full.
    package func send(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int? {
        #if canImport(Glibc)
        let sent = Glibc.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        #else
        let sent = Darwin.send(descriptor, bytes.baseAddress, bytes.count, 0)
        #endif
        if sent >= 0 { return sent }
        if errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR { return nil }
        throw .last("send")
    }

    /// Sends several pieces with one call, as ``send(_:)-(UnsafeRawBufferPointer)`` does one.
    package func send(_ pieces: [ArraySlice<UInt8>]) throws(SystemError) -> Int? {
        if pieces.count == 1 {
            return try pieces[0].withUnsafeBytes { bytes in Result { () throws(SystemError) in try send(bytes) } }.get()
        }
        var vectors: [iovec] = []
        vectors.reserveCapacity(pieces.count)
        return try Self.withVectors(pieces[...], &vectors) { (vectors) throws(SystemError) -> Int? in
            var message = msghdr()
            var sent = -1
            vectors.withUnsafeMutableBufferPointer { buffer in
                message.msg_iov = buffer.baseAddress
                message.msg_iovlen = .init(buffer.count)
                #if canImport(Glibc)
                sent = sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL))
                #else
                sent = sendmsg(descriptor, &message, 0)
                #endif
            }
            if sent >= 0 { return sent }
            if errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR { return nil }
            throw .last("send")
        }
    }

    /// Holds each slice's memory while the ones behind it are collected: no copy, no escaping pointer.
    private static func withVectors(
        _ pieces: ArraySlice<ArraySlice<UInt8>>, _ vectors: inout [iovec],
        _ body: (inout [iovec]) throws(SystemError) -> Int?
    ) throws(SystemError) -> Int? {
        guard let first = pieces.first else { return try body(&vectors) }
        var result: Result<Int?, SystemError> = .success(nil)
        first.withUnsafeBytes { bytes in
            if bytes.count > 0 {
                vectors.append(
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count))
            }
            do throws(SystemError) {
                result = .success(try withVectors(pieces.dropFirst(), &vectors, body))
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }

    /// Reads what is there now.
    package func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Received {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            if errno == EAGAIN || errno == EWOULDBLOCK { return .wouldBlock }
            if errno != EINTR { throw .last("recv") }
        }
    }

    /// Whether an idle kept connection can still be used: nothing to read, neither end nor reset nor stray bytes.
    package var isIdleAndAlive: Bool {
        var byte: UInt8 = 0
        #if canImport(Glibc)
        let count = recv(descriptor, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT))
        #else
        let count = recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT)
        #endif
        return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)
    }

    /// Ends both directions at once; whoever waits on the socket wakes up. Safe from any thread.
    package func abort() { _ = shutdown(descriptor, CInt(SHUT_RDWR)) }

    /// Tells the peer that no more bytes come.
    package func finishSending() { _ = shutdown(descriptor, CInt(SHUT_WR)) }

    /// Makes the close send a reset, as a peer that fell away would look.
    package func resetOnClose() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }
}
