internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

extension EventLoop {
    /// A task that waits for a descriptor.
    struct Wait {
        let id: UInt64
        let descriptor: CInt
        let readiness: Readiness
        /// When to give up, on ``MonotonicClock``.
        let deadline: Int64
        // Unsafe, as each place that resumes it takes the wait off the list.
        let continuation: UnsafeContinuation<Bool, any Error>
    }

    /// What is touched on the loop's thread only. No step of it calls code of others, so no two accesses overlap.
    struct Confined {
        var ready: [UnownedJob] = []
        var next = 0
        var waits: [Wait] = []
        var polled: [pollfd] = []
        var lastWait: UInt64 = 0
        var turn: UInt64 = 0
        var hooks: [any BeforePoll] = []

        var hasJobs: Bool { next < ready.count }

        mutating func nextJob() -> UnownedJob? {
            guard hasJobs else {
                ready.removeAll(keepingCapacity: true)
                next = 0
                return nil
            }
            next += 1
            return ready[next - 1]
        }

        mutating func newWaitID() -> UInt64 {
            lastWait += 1
            return lastWait
        }

        /// Lists what is waited for, `wakeUp` first.
        ///
        /// - Returns: When the first wait is given up.
        mutating func listWaits(_ wakeUp: CInt) -> Int64 {
            polled.removeAll(keepingCapacity: true)
            polled.append(pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0))
            var first = Int64.max
            for wait in waits {
                polled.append(pollfd(fd: wait.descriptor, events: wait.readiness.events, revents: 0))
                if wait.deadline < first { first = wait.deadline }
            }
            return first
        }

        /// Waits for what is listed, `timeout` milliseconds at most.
        mutating func poll(_ timeout: CInt) -> (found: CInt, isWokenUp: Bool) {
            #if canImport(Glibc)
            let found = Glibc.poll(&polled, nfds_t(polled.count), timeout)
            #else
            let found = Darwin.poll(&polled, nfds_t(polled.count), timeout)
            #endif
            return (found, found > 0 && polled[0].revents != 0)
        }

        /// Takes the next wait off the list that is over: one whose descriptor is ready, or whose deadline has come.
        ///
        /// - Parameters:
        ///   - place: Where to look from: 0 for the first, and left as it is for the next ones.
        ///   - taken: How many have been taken so far, by which the list is shorter than what was polled.
        mutating func takeOver(
            from place: inout Int, _ taken: inout Int, hasReady: Bool, _ now: Int64
        ) -> (continuation: UnsafeContinuation<Bool, any Error>, isReady: Bool)? {
            while place + taken + 1 < polled.count {
                let isReady = hasReady && polled[place + taken + 1].revents != 0
                if isReady || waits[place].deadline <= now {
                    taken += 1
                    return (waits.remove(at: place).continuation, isReady)
                }
                place += 1
            }
            return nil
        }
    }
}
