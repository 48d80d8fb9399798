internal import SluiceCore

/// A route's path, taken apart: `/orders/{id}/files/{name*}`.
struct PathPattern: Sendable {
    enum Segment: Sendable, Equatable {
        /// Matches itself, percent-decoded.
        case literal(String)
        /// `{name}`: one segment that is not empty.
        case parameter(String)
        /// `{name*}`: all that is left, nothing included. Last only.
        case catchAll(String)
    }

    let text: String
    let segments: [Segment]
    /// Why the text is no pattern; nil when it is one.
    var problem: String?

    init(_ text: String, below prefix: String = "") {
        let path = text
        let text = path.isEmpty && !prefix.isEmpty ? prefix : prefix + path
        self.text = text
        var segments: [Segment] = []
        let begins = text.utf8.first == .slash && (path.utf8.first == .slash || path.isEmpty)
        var problem = begins ? nil : "a path begins with '/'"
        PathSegments.forEach(in: text) { part in
            if case .catchAll = segments.last { problem = "nothing may follow a '{name*}'" }
            let octets = part.utf8
            if octets.first == .open, octets.last == .close {
                let inner = octets.dropFirst().dropLast()
                if inner.contains(.open) || inner.contains(.close) { problem = "a parameter is a whole segment: '{name}'" }
                let isCatchAll = inner.last == .star
                let name = String(Substring(isCatchAll ? inner.dropLast() : inner))
                if name.isEmpty { problem = "a parameter needs a name" }
                if segments.contains(where: { $0.name == name }) { problem = "the parameter '\(name)' stands twice" }
                segments.append(isCatchAll ? .catchAll(name) : .parameter(name))
            } else {
                if octets.contains(.open) || octets.contains(.close) { problem = "a parameter is a whole segment: '{name}'" }
                if let other = Self.otherForm(part) { problem = other }
                segments.append(.literal(PercentEncoding.decode(part) ?? String(part)))
            }
        }
        self.segments = segments
        self.problem = problem
    }

    /// What another framework would take for a parameter, and how it is written here.
    private static func otherForm(_ part: Substring) -> String? {
        let name = part.utf8.dropFirst()
        switch part.utf8.first {
        case UInt8(ascii: ":") where !name.isEmpty:
            return
                "a parameter is written '{\(Substring(name))}', not '\(part)'; a segment that begins with ':' is written '%3A…'"
        case .star?:
            let rest = Substring(name.drop { $0 == .star })
            return
                "what is left of a path is written '{\(rest.isEmpty ? "path" : rest)*}', not '\(part)'; a literal '*' is written '%2A'"
        default: return nil
        }
    }

    /// The parameters' names in order.
    var names: [String] { segments.compactMap(\.name) }
}

extension PathPattern.Segment {
    var name: String? {
        switch self {
        case .literal: nil
        case .parameter(let name), .catchAll(let name): name
        }
    }
}

extension UInt8 {
    fileprivate static var slash: UInt8 { UInt8(ascii: "/") }
    fileprivate static var open: UInt8 { UInt8(ascii: "{") }
    fileprivate static var close: UInt8 { UInt8(ascii: "}") }
    fileprivate static var star: UInt8 { UInt8(ascii: "*") }
}

enum PathSegments {
    /// Calls `body` with what stands between the slashes, empty parts included; the first character is skipped.
    static func forEach<Failure: Error>(in path: String, _ body: (Substring) throws(Failure) -> Void) throws(Failure) {
        let bytes = path.utf8
        var start = bytes.dropFirst().startIndex
        while true {
            let end = bytes[start...].firstIndex(of: .slash) ?? bytes.endIndex
            try body(Substring(bytes[start..<end]))
            if end == bytes.endIndex { return }
            start = bytes.index(after: end)
        }
    }
}
