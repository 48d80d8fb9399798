internal import CSluiceRuntime

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Wakes a thread that sleeps in a `poll`: a descriptor that is readable from ``signal()`` until ``clear()``.
package final class WakeUp: Sendable {
    /// What a `poll` that waits for other things too takes. It lives as long as this object.
    package let descriptor: CInt

    /// - Throws: ``SystemError`` when the process has no descriptor left.
    package init() throws(SystemError) {
        descriptor = sluice_eventfd()
        guard descriptor >= 0 else { throw .last("eventfd") }
    }

    deinit { close(descriptor) }

    /// Wakes who sleeps, or who goes to sleep next. Signals that come before a ``clear()`` are one.
    package func signal() {
        var one: UInt64 = 1
        // A full counter wakes as well as one more would.
        _ = write(descriptor, &one, 8)
    }

    /// From here on the next signal is wanted.
    package func clear() {
        var counter: UInt64 = 0
        // Only empties the counter; EAGAIN means that it was empty.
        _ = read(descriptor, &counter, 8)
    }

    /// Blocks the calling thread until somebody signals, or until the time is over; never when it was signalled before. Clears it.
    ///
    /// - Parameter time: How long, rounded up to a millisecond; nil for ever.
    package func sleep(for time: Duration? = nil) {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&polled, 1, time.map { CInt(clamping: max($0.milliseconds + 1, 1)) } ?? -1)
        clear()
    }
}
