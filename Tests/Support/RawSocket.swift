#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A blocking TCP socket for tests: shares no code with what is tested.
package final class RawSocket: Sendable {
    package let descriptor: CInt

    package init(adopting descriptor: CInt) {
        self.descriptor = descriptor
        // A program that a test starts must not keep the other tests' connections open.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(descriptor) }

    package static func connect(port: UInt16) -> RawSocket? {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        let code = withAddress(port) { Glibc.connect(descriptor, $0, $1) }
        let result = RawSocket(adopting: descriptor)
        result.limitReads()
        return code == 0 ? result : nil
    }

    /// A read that takes longer than 20 s is as good as the end: a hung test fails instead of hanging CI.
    package func limitReads() {
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Begins a connection and waits for nothing.
    package static func beginConnecting(port: UInt16) -> RawSocket {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = withAddress(port) { Glibc.connect(descriptor, $0, $1) }
        return RawSocket(adopting: descriptor)
    }

    /// - Parameter port: One that was listened on before; 0 for a new one.
    /// - Parameter receiveBuffer: Bytes, as `SO_RCVBUF` takes them; nil for the kernel's choice.
    package static func listen(
        port: UInt16 = 0, backlog: CInt = 64, receiveBuffer: CInt? = nil
    ) -> (RawSocket, UInt16) {
        _ = DescriptorLimit.isRaised
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var one: CInt = 1
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        }
        if port != 0 { setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size)) }
        _ = withAddress(port) { bind(descriptor, $0, $1) }
        _ = Glibc.listen(descriptor, backlog)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return (RawSocket(adopting: descriptor), UInt16(bigEndian: address.sin_port))
    }

    private static func withAddress<R>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    package func accept() -> RawSocket? {
        let accepted = Glibc.accept(descriptor, nil, nil)
        return accepted >= 0 ? RawSocket(adopting: accepted) : nil
    }

    @discardableResult
    package func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    @discardableResult
    package func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    /// The next bytes; empty at the end, on a reset, and after 20 s.
    package func read(_ limit: Int = 65_536) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, limit, 0)
        return count > 0 ? Array(buffer[..<count]) : []
    }

    package func readToEnd() -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let part = read()
            if part.isEmpty { return all }
            all += part
        }
    }

    package func shutdown() { _ = Glibc.shutdown(descriptor, CInt(SHUT_RDWR)) }

    /// The close of this socket sends a reset.
    package func resetOnClose() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }

    package var hasNoDelay: Bool {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &value, &length)
        return value != 0
    }
}
