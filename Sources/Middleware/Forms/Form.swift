internal import HTTPTypes
internal import SluiceCore

/// The fields of a submitted form, in the order sent.
///
/// - SeeAlso: WHATWG URL, "application/x-www-form-urlencoded", <https://url.spec.whatwg.org/#application/x-www-form-urlencoded>
public struct Form: Sendable {
    /// Names and values, decoded. Octets that are not UTF-8 are replaced, as browsers do.
    public let fields: [(name: String, value: String)]

    /// How many fields a form may have: 1000.
    public static let fieldLimit = 1000

    /// The first value of this name; nil when the form has none.
    public subscript(name: String) -> String? { fields.first { $0.name.isSame(as: name) }?.value }

    /// Every value of this name, in order.
    public func all(_ name: String) -> [String] { fields.filter { $0.name.isSame(as: name) }.map(\.value) }

    /// The value of this name, converted; nil when it is missing. A `Bool` is also `on`, which browsers send for a ticked box.
    ///
    /// - Throws: ``HTTPError``, a 400 that names the field, when it is not a `Value`.
    public func get<Value: LosslessStringConvertible>(_ name: String, as type: Value.Type = String.self) throws -> Value? {
        try FieldSource.form.get(self[name], name, as: type)
    }

    /// The value of this name, converted.
    ///
    /// - Throws: ``HTTPError``, a 400 that names the field, when it is missing or not a `Value`.
    public func require<Value: LosslessStringConvertible>(
        _ name: String, as type: Value.Type = String.self
    ) throws -> Value {
        try FieldSource.form.require(self[name], name, as: type)
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
        try FieldDecoder(source: .form, fields: fields, known: known).decode(type).checked()
    }

    /// - Throws: A 400 where there are too many fields.
    static func fields(of octets: some Collection<UInt8>) throws -> [(name: String, value: String)] {
        let parts = octets.split(separator: 0x26, maxSplits: fieldLimit)
        guard parts.count <= fieldLimit else { throw HTTPError(.badRequest, "the form has more than \(fieldLimit) fields") }
        return parts.map { part in
            guard let equals = part.firstIndex(of: 0x3D) else { return (PercentEncoding.decodeForm(part), "") }
            return (PercentEncoding.decodeForm(part[..<equals]), PercentEncoding.decodeForm(part[part.index(after: equals)...]))
        }
    }
}

extension Request {
    /// The body as a form: `application/x-www-form-urlencoded`, or the text fields of `multipart/form-data`.
    ///
    /// - Throws: ``HTTPError``: a 415 where the body says that it is something else, a 400 where it cannot be read or has more than
    ///   1000 fields.
    public func form() throws -> Form {
        switch MediaType(headers[.contentType] ?? "")?.essence {
        case "application/x-www-form-urlencoded": return Form(fields: try Form.fields(of: wholeBody()))
        case "multipart/form-data":
            let parts = try multipart().parts.filter { $0.filename == nil }
            return Form(fields: parts.map { ($0.name, $0.text) })
        default:
            throw HTTPError(
                .unsupportedMediaType,
                "a form was expected: Content-Type application/x-www-form-urlencoded or multipart/form-data")
        }
    }
}
