internal import SluiceStreaming

/// Carries a value that is confined to one event loop into a task that runs on it.
struct Confined<Value>: @unchecked Sendable {  // the task's executor is the loop that the value is confined to
    let value: Value
    init(_ value: Value) { self.value = value }
}

extension Confined<RuntimeClient> {
    /// The Runtime API's, which never changes.
    var address: HostPort { value.address }
}
