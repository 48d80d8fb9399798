#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Where records go: one `write(2)` each, so that a kill at any moment loses no line and lines never mix.
struct LogSink: Sendable {
    /// Writes as `write(2)` does: the number of bytes taken, or -1 and an `errno`.
    let write: @Sendable (UnsafeRawBufferPointer) -> (count: Int, code: Int32)
    /// What is written to.
    let descriptor: CInt

    init(_ descriptor: CInt = 2, write: @escaping @Sendable (UnsafeRawBufferPointer) -> (count: Int, code: Int32)) {
        (self.descriptor, self.write) = (descriptor, write)
    }

    private init(to descriptor: CInt) {
        self.init(descriptor) { bytes in
            #if canImport(Glibc)
            let count = Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            #else
            let count = Darwin.write(descriptor, bytes.baseAddress, bytes.count)
            #endif
            return (count, errno)
        }
    }

    /// Not buffered by libc, and the platform reads it.
    static let standardError = LogSink(to: 2)
    /// Past libc's buffer: whatever else is printed, a line stays one.
    static let standardOutput = LogSink(to: 1)

    /// Writes all bytes once, however the system cuts them up. Gives up when the descriptor is gone: a log has no log.
    func send(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { all in
            var rest = all[...]
            while !rest.isEmpty {
                let (count, code) = write(UnsafeRawBufferPointer(rebasing: rest))
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if code == EAGAIN {
                    var descriptor = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&descriptor, 1, 1000)
                } else if code != EINTR {
                    return
                }
            }
        }
    }
}
