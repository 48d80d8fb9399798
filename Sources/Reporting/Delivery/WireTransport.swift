internal import CSluiceLibcurl
internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What came of one request.
package struct TransportResponse: Sendable {
    package enum Outcome: Sendable, Equatable {
        case status(Int)
        /// No response. Whether the server may have it all the same, and whether time ran out.
        case failed(String, wasSent: Bool, timedOut: Bool)
        /// The caller had no more time.
        case aborted(wasSent: Bool)
    }

    package var outcome: Outcome
    package var rateLimits: String?
    package var retryAfter: String?
    /// The body's first 4096 bytes.
    package var body: [UInt8] = []
}

/// One POST.
struct TransportRequest: Sendable {
    var body: [UInt8]
    /// An item without an id must not arrive twice.
    var isAtMostOnce: Bool
    var timeout: Duration
}

/// Sends requests over libcurl; lives on the delivery thread and keeps its connections.
struct WireTransport {
    private let curl: OpaquePointer
    private let url: String
    private let headers: [String]
    private let caFile: String?
    private let proxy: String?
    private let limitsHeader: String?
    private let userAgent: String

    /// Bodies above it are compressed: below, the time is better spent otherwise.
    static let gzipLimit = 32 << 10

    /// Nil where libcurl cannot be loaded; ``problem`` says why.
    init?(_ destination: ReportDestination, contentType: String) {
        guard sluice_curl_load() == 0, let curl = sluice_curl_new() else { return nil }
        self.curl = curl
        url = destination.url
        headers =
            ["Content-Type: \(contentType)", "Expect:", "Accept:"]
            + destination.headers.map { "\($0.name): \($0.value)" }.filter { line in
                // A line break would be another header.
                line.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            }
        caFile = destination.caCertificates
        limitsHeader = destination.limitsHeader
        userAgent = destination.userAgent
        // What is on this machine is not reached through a proxy, whatever the environment says.
        proxy = destination.proxy ?? (destination.isLoopback ? "" : nil)
    }

    static var problem: String { String(cString: sluice_curl_problem()) }

    func close() { sluice_curl_free(curl) }

    /// Sends, and looks at `goesOn` whenever `wake` is readable or a second has passed.
    func send(_ request: TransportRequest, wake: WakeUp, goesOn: () -> Duration?) -> TransportResponse {
        var headers = headers
        var body = request.body
        if body.count > Self.gzipLimit, let compressed = Gzip.compress(body) {
            body = compressed
            headers.append("Content-Encoding: gzip")
        }
        let milliseconds = max(1, request.timeout.milliseconds)
        let strings = CStrings()
        return body.withUnsafeBufferPointer { bytes in
            strings.withList(headers) { list in
                var raw = sluice_curl_request()
                raw.url = strings.add(url)
                raw.headers = list
                raw.body = bytes.baseAddress
                raw.body_length = bytes.count
                raw.at_most_once = request.isAtMostOnce ? 1 : 0
                raw.ca_file = strings.add(caFile)
                raw.proxy = strings.add(proxy)
                raw.limits_header = strings.add(limitsHeader)
                raw.user_agent = strings.add(userAgent)
                raw.timeout_ms = milliseconds
                raw.connect_timeout_ms = milliseconds
                return run(&raw, wake.descriptor, goesOn)
            }
        }
    }

    private func run(_ request: inout sluice_curl_request, _ wake: CInt, _ goesOn: () -> Duration?) -> TransportResponse {
        let code = sluice_curl_begin(curl, &request)
        guard code == 0 else {
            return TransportResponse(
                outcome: .failed("libcurl does not take the request (\(code))", wasSent: false, timedOut: false))
        }
        var response = sluice_curl_response()
        while true {
            guard let left = goesOn() else {
                return TransportResponse(outcome: .aborted(wasSent: sluice_curl_abort(curl) != 0))
            }
            let step = CInt(clamping: min(max(left.milliseconds, 1), 1000))
            if sluice_curl_step(curl, wake, step, &response) == 1 { return Self.read(&response, body) }
        }
    }

    private var body: [UInt8] {
        var length = 0
        let start = sluice_curl_body(curl, &length)
        return Array(UnsafeBufferPointer(start: start, count: length))
    }

    private static func read(_ response: inout sluice_curl_response, _ body: [UInt8]) -> TransportResponse {
        let limits = String(cField: &response.rate_limits)
        let retry = String(cField: &response.retry_after)
        let hasStatus = response.code == 0 && response.status >= 100
        let outcome: TransportResponse.Outcome =
            hasStatus
            ? .status(response.status)
            : .failed(
                String(cField: &response.problem) ?? "no response", wasSent: response.was_sent != 0,
                timedOut: response.code == 28)
        return TransportResponse(outcome: outcome, rateLimits: limits, retryAfter: retry, body: body)
    }
}

/// Texts as C wants them, for as long as this lives.
private final class CStrings {
    private var copies: [UnsafeMutablePointer<CChar>] = []

    deinit { for copy in copies { free(copy) } }

    func add(_ text: String?) -> UnsafePointer<CChar>? {
        guard let text, let copy = strdup(text) else { return nil }
        copies.append(copy)
        return UnsafePointer(copy)
    }

    /// Lends them as a list that ends with a null pointer.
    func withList<R>(_ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> R) -> R {
        (texts.map(add) + [nil]).withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
