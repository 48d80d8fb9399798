#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Tests run side by side, each with servers and clients of its own: on a slow machine that is more than a shell's limit of 1024.
enum DescriptorLimit {
    /// Raises the soft limit to the hard one, once.
    static let isRaised: Bool = {
        var limit = rlimit()
        guard getrlimit(.init(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return false }
        limit.rlim_cur = limit.rlim_max
        return setrlimit(.init(RLIMIT_NOFILE.rawValue), &limit) == 0
    }()
}
