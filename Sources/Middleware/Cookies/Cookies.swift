internal import HTTPTypes
internal import SluiceCore

/// The cookies of a request (RFC 6265, section 5.4), values verbatim: neither unquoted nor decoded.
public struct Cookies: Sendable {
    /// Names and values in the order sent.
    public let all: [(name: String, value: String)]

    init(_ headers: HTTPFields) {
        all = headers[values: .cookie].flatMap { line in
            line.split(at: ";").compactMap { pair in
                guard let (before, after) = pair.cut(at: "=") else { return nil }
                let name = before.trimmed
                return name.isEmpty ? nil : (String(name), String(after.trimmed))
            }
        }
    }

    /// The first cookie of this name.
    public subscript(name: String) -> String? { all.first { $0.name.isSame(as: name) }?.value }
}
