public import HTTPTypes
internal import SluiceCore

extension HTTPFields {
    /// The value of a header, converted; nil when it is missing.
    ///
    /// - Throws: ``HTTPError``, a 400 that names the header, when its value is not a `Value`.
    public func get<Value: LosslessStringConvertible>(
        _ name: HTTPField.Name, as type: Value.Type = String.self
    ) throws -> Value? {
        try FieldSource.header.get(self[name], name.rawName, as: type)
    }

    /// The value of a header, converted.
    ///
    /// - Throws: ``HTTPError``, a 400 that names the header, when it is missing or not a `Value`.
    public func require<Value: LosslessStringConvertible>(
        _ name: HTTPField.Name, as type: Value.Type = String.self
    ) throws -> Value {
        try FieldSource.header.require(self[name], name.rawName, as: type)
    }

    /// The headers as a value: the property `ifMatch`, `if_match` or a coding key `If-Match` is the header `if-match`.
    ///
    /// Optional properties may be missing, arrays take a header that is repeated, dates are ISO 8601.
    /// - Throws: ``HTTPError``, a 400 that names the header which is missing or wrong; a 422 by what ``Validatable`` says.
    @_alwaysEmitIntoClient
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try decode(type, known: FieldText.foundationValue)
    }

    @usableFromInline
    func decode<Value: Decodable>(_ type: Value.Type, known: @escaping FieldText.KnownTypes) throws -> Value {
        let fields = map { (name: $0.name.rawName, value: $0.value) }
        return try FieldDecoder(source: .header, fields: fields, known: known).decode(type).checked()
    }

    /// Whether there is a header of this name; most differ in their length already.
    func has(_ name: HTTPField.Name) -> Bool {
        let wanted = name.canonicalName
        let length = wanted.utf8.count
        return contains { $0.name.canonicalName.utf8.count == length && $0.name.canonicalName == wanted }
    }

    /// Says that the response depends on these headers of the request (RFC 9110, section 12.5.5).
    public mutating func vary(by name: String, _ others: String...) {
        // As a rule: one name, and the first.
        if others.isEmpty, !has(.vary) { return append(HTTPField(name: .vary, value: name)) }
        let lines = self[values: .vary]
        let known = lines.flatMap { $0.split(at: ",").map { $0.trimmed } }
        let new = ([name] + others).filter { name in !known.contains { $0.isSame(ignoringCase: name) || $0 == "*" } }
        if !new.isEmpty { self[.vary] = (lines + new).joined(separator: ", ") }
    }
}
