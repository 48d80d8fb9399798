internal import FoundationEssentials
internal import SluiceCore

/// Text of a query, a form, a path or a header, as a value.
enum FieldText {
    /// The text as a `Value`; nil when it is none.
    ///
    /// A `Bool` is `true`, `1` or `on` (what a browser sends for a ticked box), `false`, `0` or `off`.
    static func value<Value: LosslessStringConvertible>(_ text: String, as type: Value.Type) -> Value? {
        if type == Bool.self { return bool(text) as? Value }
        return Value(text)
    }

    static func bool(_ text: String) -> Bool? {
        switch text {
        case "true", "1", "on": true
        case "false", "0", "off": false
        default: nil
        }
    }

    /// `2024-02-29T12:00:00Z`, fractions of a second and offsets included, or the day alone, which begins at midnight UTC.
    static func date(_ text: String) -> Date? {
        for style in [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)] {
            if let date = try? Date(text, strategy: style) { return date }
        }
        return try? Date(text, strategy: Date.ISO8601FormatStyle().year().month().day())
    }
}

/// Where named texts come from, as messages to the client call it.
struct FieldSource: Sendable {
    /// `query field`, `form field`, `header`.
    let kind: String
    /// Whether a property's name is a field's name: with headers, case and `_` for `-` make no difference.
    let matches: @Sendable (_ property: String, _ name: String) -> Bool

    static let query = FieldSource(kind: "query field") { $0.isSame(as: $1) }
    static let form = FieldSource(kind: "form field") { $0.isSame(as: $1) }
    static let header = FieldSource(kind: "header") { property, name in
        func letters(_ text: String) -> some Sequence<UInt8> {
            text.utf8.lazy.filter { $0 != 0x2D && $0 != 0x5F }.map(Octets.lower)
        }
        return letters(property).elementsEqual(letters(name))
    }

    func missing(_ name: String) -> HTTPError { HTTPError(.badRequest, "the \(kind) '\(name)' is missing") }
    func invalid(_ name: String, _ type: Any.Type) -> HTTPError {
        HTTPError(.badRequest, "the \(kind) '\(name)' is not a valid \(type)")
    }
}
