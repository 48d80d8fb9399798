/// One header or trailer line; the name in lower case, the value as it came.
package struct HTTPLine: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What stands before a message's body.
package struct HTTPMessageHead: Sendable {
    /// Of a request; empty in a response.
    package var method = ""
    /// Of a request, as sent; empty in a response.
    package var target = ""
    /// Of a response; 0 in a request.
    package var status = 0
    package var lines: [HTTPLine] = []
    /// 1 of HTTP/1.1, 0 of HTTP/1.0.
    package var minorVersion = 1
    /// Whether the connection can carry another message after this one (RFC 9112, section 9.3).
    package var keepsAlive = true

    /// The first line with this lower-case name.
    package subscript(name: String) -> String? { lines.first { $0.name == name }?.value }
}
