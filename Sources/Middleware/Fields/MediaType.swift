internal import SluiceCore

/// A `Content-Type`, taken apart (RFC 9110, section 8.3.1).
struct MediaType {
    /// Type and subtype in lower case, as `text/html`.
    let essence: String
    private let parameters: [(name: Substring, value: String)]

    /// Nil when there is no type and subtype.
    init?(_ text: String) {
        let essence = text.prefix(before: ";").trimmed.asciiLowercased
        guard essence.cut(at: "/") != nil else { return nil }
        self.essence = essence
        parameters = HeaderParameters.read(text.utf8.drop { $0 != 0x3B })
    }

    /// The value of a parameter, unquoted.
    subscript(name: StaticString) -> String? { parameters.first { $0.name.isSame(ignoringCase: "\(name)") }?.value }

    /// `application/json`, and what says that it is JSON by its suffix (RFC 6839).
    var isJSON: Bool { essence == "application/json" || essence.hasSuffix("+json") || essence == "text/json" }
}

/// What follows a value in a header: `; name=value; name="quoted \" value"` (RFC 9110, section 5.6.6).
enum HeaderParameters {
    /// - Parameter text: Begins with `;`, or is empty. What cannot be read is skipped.
    static func read(_ text: Substring.UTF8View) -> [(name: Substring, value: String)] {
        var found: [(name: Substring, value: String)] = []
        var rest = text
        while let semicolon = rest.firstIndex(of: 0x3B), found.count < 100 {
            rest = rest[rest.index(after: semicolon)...].drop { $0 == 0x20 || $0 == 0x09 }
            let name = rest.prefix { $0 != 0x3D && $0 != 0x3B }
            rest = rest[name.endIndex...]
            guard rest.first == 0x3D else { continue }
            rest = rest.dropFirst()
            let value: [UInt8]
            if rest.first == 0x22 {
                (value, rest) = quoted(rest.dropFirst())
            } else {
                let token = rest.prefix { $0 != 0x3B }
                value = Array(Substring(token).trimmed.utf8)
                rest = rest[token.endIndex...]
            }
            found.append((Substring(name).trimmed, String(decoding: value, as: UTF8.self)))
        }
        return found
    }

    /// What stands before the closing quotation mark, and what comes behind it.
    private static func quoted(_ text: Substring.UTF8View) -> ([UInt8], Substring.UTF8View) {
        var value: [UInt8] = []
        var place = text.startIndex
        while place < text.endIndex, text[place] != 0x22 {
            if text[place] == 0x5C {
                let next = text.index(after: place)
                guard next < text.endIndex else { break }
                place = next
            }
            value.append(text[place])
            place = text.index(after: place)
        }
        return (value, text[place...].dropFirst())
    }
}
