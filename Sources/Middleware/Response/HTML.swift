public import HTTPTypes
internal import SluiceStreaming

/// A page, or a piece of one: what is put into it is escaped, so that text of users stays text.
///
/// ```swift
/// routes.get("/hello/{name}") { request in
///     let name = try request.parameters.require("name")
///     return HTML("<p>Hello, \(name)!</p>")
/// }
/// ```
/// Another `HTML` is put in as it is; so is `\(raw: …)`, for markup that is your own. Escaping is right between tags and in quoted
/// attributes. It does not make a URL, a script or a style of users' text safe.
public struct HTML: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible, ResponseConvertible {
    /// The markup.
    public let text: String

    /// The markup as it is written, with what is put into it escaped.
    public init(_ html: HTML) { self = html }

    /// The markup as it is written.
    public init(stringLiteral value: String) { text = value }

    /// The markup as it is written, with what is put into it escaped.
    public init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// Markup that is your own.
    public init(raw text: String) { self.text = text }

    /// The markup.
    public var description: String { text }

    /// 200, `text/html; charset=utf-8`.
    public func response(for request: Request) -> Response { .html(text) }

    /// Text with `&`, `<`, `>`, `"` and `'` as references.
    public static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: { reference($0) != nil }) else { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 16)
        for octet in text.utf8 {
            if let reference = reference(octet) { bytes += Array(reference.utf8) } else { bytes.append(octet) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func reference(_ octet: UInt8) -> String? {
        switch octet {
        case 0x26: "&amp;"
        case 0x3C: "&lt;"
        case 0x3E: "&gt;"
        case 0x22: "&quot;"
        case 0x27: "&#39;"
        default: nil
        }
    }

    /// Collects markup and what is put into it.
    public struct StringInterpolation: StringInterpolationProtocol {
        var text = ""

        /// Nothing yet.
        public init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        /// Markup.
        public mutating func appendLiteral(_ literal: String) { text += literal }

        /// A value, as text, escaped.
        public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            text += HTML.escape(value.description)
        }

        /// Markup, as it is.
        public mutating func appendInterpolation(_ html: HTML) { text += html.text }

        /// Pieces of markup, one after the other.
        public mutating func appendInterpolation(_ pieces: [HTML]) { for piece in pieces { text += piece.text } }

        /// A piece of markup, or nothing.
        public mutating func appendInterpolation(_ html: HTML?) { text += html?.text ?? "" }

        /// Markup that is your own.
        public mutating func appendInterpolation(raw text: String) { self.text += text }
    }
}

extension Response {
    /// A page.
    public static func html(_ page: HTML, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: "text/html; charset=utf-8"], body: .text(page.text))
    }
}
