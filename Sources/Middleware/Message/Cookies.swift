internal import HTTPTypes

/// The cookies of a request (RFC 6265, section 5.4), values verbatim: neither unquoted nor decoded.
public struct Cookies: Sendable {
    /// Names and values in the order sent.
    public let all: [(name: String, value: String)]

    init(_ headers: HTTPFields) {
        all = headers[values: .cookie].flatMap { line in
            line.split(separator: ";").compactMap { pair in
                guard let equals = pair.firstIndex(of: "=") else { return nil }
                let name = pair[..<equals].trimmingSpaces
                return name.isEmpty ? nil : (String(name), String(pair[pair.index(after: equals)...].trimmingSpaces))
            }
        }
    }

    /// The first cookie of this name.
    public subscript(name: String) -> String? { all.first { $0.name == name }?.value }
}

extension Substring {
    /// Without the spaces and tabs around it.
    var trimmingSpaces: Substring {
        var text = self
        while let first = text.utf8.first, first == 0x20 || first == 0x09 { text = text.dropFirst() }
        while let last = text.utf8.last, last == 0x20 || last == 0x09 { text = text.dropLast() }
        return text
    }
}
