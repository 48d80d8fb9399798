import FoundationEssentials
import Sluice

/// What a handler sees of its request.
struct Sight: Encodable, Sendable {
    let frontEnd: String
    let mode: String
    let id: String
    let traceID: String?
    let method: String
    let path: String
    let rawPath: String
    let query: [String]
    let headers: [String]
    let cookies: [String]
    let address: String?
    let body: String
    /// Milliseconds.
    let timeLeft: Int?
    let event: String

    init(of request: Request) async throws {
        frontEnd = request.lambda?.frontEnd?.description ?? "none"
        mode = ProcessInfo.processInfo.environment["AWS_LWA_INVOKE_MODE"] ?? "unset"
        id = request.id
        traceID = request.lambda?.traceID
        method = request.method.rawValue
        path = request.path
        rawPath = request.rawPath
        query = request.query.fields.map { "\($0.name)=\($0.value)" }
        headers = request.headers.map { "\($0.name.canonicalName): \($0.value)" }
        cookies = request.cookies.all.map { "\($0.name)=\($0.value)" }
        address = request.remoteAddress
        body = String(decoding: try await request.body.collect(), as: UTF8.self)
        timeLeft = request.deadline?.remaining.inMilliseconds
        event = request.lambda?.event.text ?? ""
    }
}

/// That, and which process saw it.
struct Seen: Encodable, Sendable {
    let sight: Sight
    let process: String

    init(_ sight: Sight, _ memory: Memory) { (self.sight, process) = (sight, memory.process) }
}

/// Says in the log when the sandbox ends: outside of an invocation nothing else asks a reporter to hurry.
struct LastWords: ErrorReporter {
    func capture(_ failure: Failure) {}

    func flush(within limit: Duration) async {
        guard InvocationScope.current == nil else { return }
        print("canary: the sandbox ends, \(limit.inMilliseconds) ms are left")
    }
}
