public import FoundationEssentials
internal import SluiceCore

/// Text of a query, a form, a path or a header, as a value.
@usableFromInline
enum FieldText {
    /// A value of a type that a decoder knows by itself; nil for a type that it does not know, and a nil in it for a text that is no such value.
    @usableFromInline
    typealias KnownTypes = @Sendable (_ text: String, _ type: any Decodable.Type) -> (any Sendable)??

    /// What Foundation's own decoders know by its type too. Compiled into the app: see ``JSONCoders``.
    @_alwaysEmitIntoClient
    static func foundationValue(_ text: String, _ type: any Decodable.Type) -> (any Sendable)?? {
        switch type {
        case is Date.Type: .some(date(text))
        case is URL.Type: .some(URL(string: text))
        case is Decimal.Type: .some(Decimal(string: text))
        default: .none
        }
    }

    /// The text as a `Value`; nil when it is none.
    ///
    /// A `Bool` is `true`, `1` or `on` (what a browser sends for a ticked box), `false`, `0` or `off`.
    static func value<Value: LosslessStringConvertible>(_ text: String, as type: Value.Type) -> Value? {
        if type == Bool.self { return bool(text) as? Value }
        // Its own initializer stops the process where there are none or two.
        if type == Character.self { return text.unicodeScalars.count <= 30 && text.count == 1 ? Value(text) : nil }
        return finite(Value(text))
    }

    /// Nil for what is no number, and what no JSON could say again.
    private static func finite<Value>(_ value: Value?) -> Value? {
        if let number = value as? Double, !number.isFinite { return nil }
        if let number = value as? Float, !number.isFinite { return nil }
        return value
    }

    /// Compared as octets: `==` would sort a long run of combining marks first.
    static func bool(_ text: String) -> Bool? {
        guard text.utf8.count <= 5 else { return nil }
        switch text {
        case "true", "1", "on": return true
        case "false", "0", "off": return false
        default: return nil
        }
    }

    /// `2024-02-29T12:00:00Z`, fractions of a second and offsets included, or the day alone, which begins at midnight UTC.
    @_alwaysEmitIntoClient
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
    /// The octets by which a property and a field are the same: of headers without hyphens and in lower case.
    let key: @Sendable (_ name: String) -> [UInt8]

    static let query = FieldSource(kind: "query field") { Array($0.utf8) }
    static let form = FieldSource(kind: "form field") { Array($0.utf8) }
    static let header = FieldSource(kind: "header") { name in
        name.utf8.filter { $0 != 0x2D && $0 != 0x5F }.map(Octets.lower)
    }

    /// - Throws: A 400 where the text is there and no `Value`.
    func get<Value: LosslessStringConvertible>(_ text: String?, _ name: String, as type: Value.Type) throws -> Value? {
        guard let text else { return nil }
        guard let value = FieldText.value(text, as: type) else { throw invalid(name, type) }
        return value
    }

    /// - Throws: A 400 where the text is missing, too.
    func require<Value: LosslessStringConvertible>(_ text: String?, _ name: String, as type: Value.Type) throws -> Value {
        guard let value = try get(text, name, as: type) else { throw missing(name) }
        return value
    }

    func missing(_ name: String) -> HTTPError { HTTPError(.badRequest, "the \(kind) '\(name)' is missing") }
    func invalid(_ name: String, _ type: Any.Type) -> HTTPError {
        HTTPError(.badRequest, "the \(kind) '\(name)' is not a valid \(type)")
    }
}
