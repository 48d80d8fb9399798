internal import FoundationEssentials

/// Status, headers and cookies as the app sent them, in an envelope or in a prelude: read by our own code.
struct WireResponse: Decodable {
    let statusCode: Int
    let headers: [String: String]?
    let cookies: [String]?
    let body: String?
    let isBase64Encoded: Bool?

    /// Why a gateway would answer 502 instead; nil when it would not.
    var problem: String? {
        if !(100...999).contains(statusCode) || statusCode < 200 { return "statusCode \(statusCode) is no final HTTP status" }
        for (name, value) in headers ?? [:] {
            if name.isEmpty || !name.utf8.allSatisfy(Self.isTokenByte) { return "'\(name)' is no header name" }
            if !Self.isSafe(value) { return "the header '\(name)' holds CR, LF or NUL" }
        }
        for cookie in cookies ?? [] where !Self.isSafe(cookie) { return "a cookie holds CR, LF or NUL" }
        return nil
    }

    /// The header lines for the client.
    var lines: [(String, String)] {
        (headers ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) } + (cookies ?? []).map { ("set-cookie", $0) }
    }

    /// The body's bytes; nil for base64 that is none.
    var bytes: [UInt8]? {
        guard isBase64Encoded == true else { return Array((body ?? "").utf8) }
        return Data(base64Encoded: body ?? "").map { [UInt8]($0) }
    }

    private static func isSafe(_ text: String) -> Bool { !text.utf8.contains { $0 == 13 || $0 == 10 || $0 == 0 } }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

/// Finds the eight NULs between prelude and body in a stream of chunks, whose boundaries mean nothing.
struct PreludeScanner {
    private var held: [UInt8] = []
    private(set) var isDone = false

    /// Takes bytes; once the prelude is whole, returns it with what follows. Nil while more is needed.
    mutating func take(_ bytes: [UInt8]) -> (prelude: [UInt8], rest: [UInt8])? {
        held += bytes
        guard let first = held.firstIndex(of: 0) else { return nil }  // JSON has no raw NUL, so the first begins the eight
        guard held.count >= first + 8 else { return nil }
        isDone = true
        return (Array(held[..<first]), Array(held[(first + 8)...]))
    }

    /// Whether the eight bytes behind the prelude are all NUL.
    var delimiterIsWhole: Bool {
        guard let first = held.firstIndex(of: 0), held.count >= first + 8 else { return false }
        return held[first..<first + 8].allSatisfy { $0 == 0 }
    }

    /// What has come, for a stream that has no delimiter.
    var raw: [UInt8] { held }
}
