internal import SluiceCore

/// The fields of a query string, in the order sent.
///
/// Decoded as browsers encode forms: `+` is a space, `%2B` a plus. A broken escape is left as it came.
public struct Query: Sendable {
    /// Names and values, decoded. A field without `=` has an empty value.
    public let fields: [(name: String, value: String)]

    init(_ raw: String) {
        fields = raw.split(at: "&").map { field in
            let (name, value) = field.cut(at: "=") ?? (field, "")
            return (Self.decode(name), Self.decode(value))
        }
    }

    private static func decode(_ text: Substring) -> String {
        PercentEncoding.decode(text, plusIsSpace: true) ?? String(text)
    }

    /// The first value of this name; nil when the query has none.
    public subscript(name: String) -> String? { fields.first { $0.name.isSame(as: name) }?.value }

    /// Every value of this name, in order.
    public func all(_ name: String) -> [String] { fields.filter { $0.name.isSame(as: name) }.map(\.value) }

    /// The value of this name, converted.
    ///
    /// - Throws: ``HTTPError``, a 400 that names the field, when it is missing or not a `Value`.
    public func require<Value: LosslessStringConvertible>(
        _ name: String, as type: Value.Type = String.self
    ) throws -> Value {
        guard let text = self[name] else { throw HTTPError(.badRequest, "the query field '\(name)' is missing") }
        guard let value = Value(text) else {
            throw HTTPError(.badRequest, "the query field '\(name)' is not a valid \(Value.self)")
        }
        return value
    }
}
