#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Where what was deployed lies.
enum TaskRoot {
    /// `LAMBDA_TASK_ROOT`, or else the process's folder; read once.
    static let path: String = {
        if let root = getenv("LAMBDA_TASK_ROOT") { return String(cString: root) }
        return "."
    }()
}
