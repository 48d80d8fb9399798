internal import CSluiceRuntime

/// `_X_AMZN_TRACE_ID`, which custom runtimes must set for the X-Ray SDK (Lambda developer guide, "Building a custom runtime").
/// Only where one invocation runs at a time.
enum TraceVariable {
    static func set(_ trace: String) {
        var trace = trace
        trace.withUTF8 { sluice_set_trace_variable($0.baseAddress, $0.count) }
    }
}
