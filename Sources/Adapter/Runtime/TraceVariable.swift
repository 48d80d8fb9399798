#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// `_X_AMZN_TRACE_ID`, which custom runtimes must set for the X-Ray SDK. Only where one invocation runs at a time.
enum TraceVariable {
    static func set(_ trace: String) { setenv("_X_AMZN_TRACE_ID", trace, 1) }
}
