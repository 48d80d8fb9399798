internal import SluiceStreaming

/// The client's side of one invocation: writes the HTTP response to the front end's connection.
final class FrontEndReply: @unchecked Sendable {  // used on the loop's thread only
    private let connection: ServerConnection
    private let isHead: Bool
    private let requestID: String
    private let mayChunk: Bool
    let gateway: any Gateway
    private(set) var keepsAlive: Bool
    private(set) var status = 0
    private(set) var bytes = 0
    private var isStreaming = false
    private var carriesBody = true
    private var clientIsGone = false

    init(_ connection: ServerConnection, _ head: HTTPMessageHead, requestID: String, _ gateway: any Gateway) {
        self.connection = connection
        self.requestID = requestID
        self.gateway = gateway
        isHead = head.method == "HEAD"
        keepsAlive = head.keepsAlive
        mayChunk = head.minorVersion >= 1
    }

    var hasBegun: Bool { status != 0 }

    /// Sends a whole response.
    func send(_ response: WireResponse) async {
        guard !hasBegun else { return }
        status = response.status
        bytes = response.body.count
        let hasBody = status != 204 && status != 304
        var lines = response.lines.filter { $0.0.lowercased() != "content-length" }
        if hasBody { lines.append(("Content-Length", String(bytes))) }
        await put([head(lines, reason: response.reason), isHead || !hasBody ? [] : response.body])
    }

    /// The front end's own response.
    func fail(_ failure: GatewayFailure) async {
        // The rest of the body is not read, so nothing can follow it.
        if failure == .bodyTooLarge { keepsAlive = false }
        let page = gateway.page(failure)
        await send(WireResponse(status: page.status, lines: [("Content-Type", page.contentType)], body: Array(page.body.utf8)))
    }

    /// Begins a streamed response.
    func begin(_ response: WireResponse) async {
        guard !hasBegun else { return }
        status = response.status
        isStreaming = true
        carriesBody = !isHead && status != 204 && status != 304
        var lines = response.lines
        let hasLength = lines.contains { $0.0.lowercased() == "content-length" }
        if carriesBody, !hasLength, mayChunk { lines.append(("Transfer-Encoding", "chunked")) }
        chunks = carriesBody && !hasLength && mayChunk
        if carriesBody, !chunks { keepsAlive = false }
        await put([head(lines)])
    }

    private var chunks = false

    /// Passes a part of the body on; suspends while the client reads slowly.
    func write(_ part: [UInt8]) async {
        guard isStreaming, carriesBody, !part.isEmpty else { return }
        bytes += part.count
        await put(chunks ? [HTTPWriter.chunkSize(part.count), part, HTTPWriter.crlf] : [part])
    }

    /// Ends a streamed response cleanly.
    func end() async {
        if chunks { await put([HTTPWriter.lastChunk()]) }
    }

    /// Ends it so that the client sees a broken stream.
    func cut() {
        keepsAlive = false
        connection.socket.abort()
    }

    private func head(_ lines: [(String, String)], reason: String? = nil) -> [UInt8] {
        HTTPWriter.responseHead(
            status, reason ?? Self.reason(status),
            lines + [("x-amzn-requestid", requestID), ("Connection", keepsAlive ? "keep-alive" : "close")])
    }

    private func put(_ pieces: [[UInt8]]) async {
        guard !clientIsGone else { return }
        do {
            try await connection.loop.send(pieces.map { $0[...] }, on: connection.socket)
        } catch {
            // As on Lambda: the function is not told that its client has left, and runs on.
            clientIsGone = true
            keepsAlive = false
        }
    }

    private static func reason(_ status: Int) -> String {
        let known = [
            200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 301: "Moved Permanently", 302: "Found",
            303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request",
            401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
            413: "Content Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content", 429: "Too Many Requests",
            500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
            504: "Gateway Timeout",
        ]
        return known[status] ?? "Status"
    }
}
