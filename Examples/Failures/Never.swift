import Sluice
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Keeps continuations that nobody resumes: dropped ones would be reported by the runtime instead of waited for.
final class Kept: Sendable {
    private let kept = Mutex<[CheckedContinuation<String, Never>]>([])
    func keep(_ continuation: CheckedContinuation<String, Never>) { kept.withLock { $0.append(continuation) } }
}

let never = Kept()

func exitNow() -> Never { exit(3) }

func isToFailAtStart() -> Bool { getenv("FAILURES_START") != nil }
