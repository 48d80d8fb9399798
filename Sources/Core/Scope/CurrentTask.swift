internal import CSluiceRuntime

/// The Swift task that runs on this thread.
package enum CurrentTask {
    /// Never the same for two tasks of a process; 0 outside of tasks.
    package static var id: UInt64 { sluice_current_task_id() }
}
