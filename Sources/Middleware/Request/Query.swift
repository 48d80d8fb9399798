internal import SluiceCore

/// The fields of a query string, in the order sent.
///
/// Decoded as browsers encode forms: `+` is a space, `%2B` a plus, a broken escape is left as it came, octets that are not UTF-8 are
/// replaced (WHATWG URL).
public struct Query: Sendable {
    /// Names and values, decoded. A field without `=` has an empty value.
    public let fields: [(name: String, value: String)]

    init(_ raw: String) {
        fields = raw.utf8.split(separator: 0x26).map { field in
            guard let equals = field.firstIndex(of: 0x3D) else { return (PercentEncoding.decodeForm(field), "") }
            return (
                PercentEncoding.decodeForm(field[..<equals]), PercentEncoding.decodeForm(field[field.index(after: equals)...])
            )
        }
    }

    /// The first value of this name; nil when the query has none.
    public subscript(name: String) -> String? { fields.first { $0.name.isSame(as: name) }?.value }

    /// Every value of this name, in order.
    public func all(_ name: String) -> [String] { fields.filter { $0.name.isSame(as: name) }.map(\.value) }

    /// The value of this name, converted; nil when it is missing. A `Bool` is `true`, `1` or `on`, `false`, `0` or `off`.
    ///
    /// - Throws: ``HTTPError``, a 400 that names the field, when it is not a `Value`.
    public func get<Value: LosslessStringConvertible>(_ name: String, as type: Value.Type = String.self) throws -> Value? {
        try FieldSource.query.get(self[name], name, as: type)
    }

    /// The value of this name, converted.
    ///
    /// - Throws: ``HTTPError``, a 400 that names the field, when it is missing or not a `Value`.
    public func require<Value: LosslessStringConvertible>(
        _ name: String, as type: Value.Type = String.self
    ) throws -> Value {
        try FieldSource.query.require(self[name], name, as: type)
    }

    /// The fields as a value: a property for each field, an array for one that is repeated, dates in ISO 8601. An optional
    /// property is nil where its field is missing, and, unless it is a `String`, where it is empty.
    ///
    /// - Throws: ``HTTPError``, a 400 that names the field which is missing or wrong; a 422 by what ``Validatable`` says.
    @_alwaysEmitIntoClient
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try decode(type, known: FieldText.foundationValue)
    }

    @usableFromInline
    func decode<Value: Decodable>(_ type: Value.Type, known: @escaping FieldText.KnownTypes) throws -> Value {
        try FieldDecoder(source: .query, fields: fields, known: known).decode(type).checked()
    }
}
