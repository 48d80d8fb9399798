internal import CSluiceRuntime
internal import HTTPTypes

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Names that nearly every event has, made once: each look-up of one saves its text and its checks.
enum KnownNames {
    private struct Entry: Sendable {
        let bytes: [UInt8]
        let name: HTTPField.Name
    }

    /// What browsers, SDKs and Lambda's front ends send (lower case, as Function URLs deliver them).
    private static let common = [
        "accept", "accept-encoding", "accept-language", "authorization", "cache-control", "connection", "content-encoding",
        "content-length", "content-type", "cookie", "dnt", "forwarded", "host", "if-match", "if-modified-since",
        "if-none-match", "origin", "pragma", "priority", "range", "referer", "sec-ch-ua", "sec-ch-ua-mobile",
        "sec-ch-ua-platform", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user", "sec-gpc", "te",
        "traceparent", "tracestate", "baggage", "sentry-trace", "upgrade-insecure-requests", "user-agent", "via",
        "x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-source-account", "x-amz-source-arn",
        "x-amzn-lambda-forwarded-client-ip", "x-amzn-lambda-forwarded-host", "x-amzn-lambda-proxy-auth",
        "x-amzn-lambda-proxying-cell", "x-amzn-requestid", "x-amzn-tls-cipher-suite", "x-amzn-tls-version", "x-amzn-trace-id",
        "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-request-id", "x-requested-with",
    ]

    /// Open addressing: a power of two, several times the entries.
    private static let table: [Entry?] = {
        var table = [Entry?](repeating: nil, count: 512)
        for text in common {
            guard let name = HTTPField.Name(text) else { continue }
            let bytes = Array(text.utf8)
            var place = bytes.withUnsafeBufferPointer(hash)
            while table[place & 511] != nil { place += 1 }
            table[place & 511] = Entry(bytes: bytes, name: name)
        }
        return table
    }()

    /// Of the length and three bytes, of a text that is not empty: enough to tell these names apart.
    private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        let count = bytes.count
        return count &* 131 &+ Int(bytes[count / 2]) &* 31 &+ Int(bytes[count - 1]) &* 7 &+ Int(bytes[count - 1 - count / 4])
    }

    /// Nil for what is no HTTP token.
    static func header(_ text: JSONText) -> HTTPField.Name? {
        let known = text.withBytes { bytes -> HTTPField.Name? in
            guard let base = bytes.baseAddress, !bytes.isEmpty else { return nil }
            var place = hash(bytes)
            while let entry = table[place & 511] {
                if entry.bytes.count == bytes.count, memcmp(entry.bytes, base, bytes.count) == 0 { return entry.name }
                place += 1
            }
            return nil
        }
        return known ?? HTTPField.Name(text.string)
    }

    static func isToken(_ text: JSONText) -> Bool {
        text.withBytes { bytes in bytes.baseAddress.map { sluice_is_token($0, bytes.count) != 0 } ?? false }
    }

    /// Nil for what is no HTTP token.
    static func method(_ text: JSONText) -> HTTPRequest.Method? {
        switch text {
        case "GET": .get
        case "POST": .post
        case "HEAD": .head
        case "PUT": .put
        case "DELETE": .delete
        case "PATCH": .patch
        case "OPTIONS": .options
        default: HTTPRequest.Method(text.string)
        }
    }
}
