internal import SluiceCore

/// Reads a `Decodable` value from named texts: one property for each field, an array from a field that is repeated.
///
/// An optional property is nil where its field is missing, and where it is empty and the property is no `String`: browsers send an
/// empty field for each input that nobody filled in.
struct FieldDecoder: Decoder {
    let source: FieldSource
    private let fields: [(name: String, value: String)]
    let known: FieldText.KnownTypes
    /// Where each name stands, by its octets.
    private let places: [[UInt8]: [Int]]
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// How many fields may be read as a value.
    private static let limit = 1000

    /// - Throws: ``HTTPError``, a 400, for more than 1000 fields, and for a name that could not be hashed in a fair time.
    init(source: FieldSource, fields: [(name: String, value: String)], known: @escaping FieldText.KnownTypes) throws {
        guard fields.count <= Self.limit else {
            throw HTTPError(.badRequest, "there are more than \(Self.limit) \(source.kind)s")
        }
        var places: [[UInt8]: [Int]] = [:]
        for (place, field) in fields.enumerated() {
            guard !NonStarters.hasLongRun(field.name.unicodeScalars) else {
                throw HTTPError(.badRequest, "the name of a \(source.kind) has too many combining marks in a row")
            }
            places[source.key(field.name), default: []].append(place)
        }
        (self.source, self.fields, self.known, self.places) = (source, fields, known, places)
    }

    /// Each name once, in the order of their first fields.
    var names: [String] {
        places.values.compactMap(\.first).sorted().map { fields[$0].name }
    }

    func values(of name: String) -> [String] { (places[source.key(name)] ?? []).map { fields[$0].value } }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(FieldContainer<Key>(decoder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw noStructure("list") }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw noStructure("single value") }

    private func noStructure(_ kind: String) -> HTTPError {
        HTTPError(
            .internalServerError,
            detail: "a \(kind) cannot be read from \(source.kind)s: decode a type with a property for each")
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        do {
            return try Value(from: self)
        } catch let error as DecodingError {
            throw HTTPError(.badRequest, "the \(source.kind)s are not what was expected", detail: "\(error)", cause: error)
        }
    }
}

private struct FieldContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: FieldDecoder
    var codingPath: [any CodingKey] { [] }
    /// Names that have no key are left out: more may be sent than is read.
    var allKeys: [Key] { decoder.names.compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { !decoder.values(of: key.stringValue).isEmpty }
    func decodeNil(forKey key: Key) -> Bool { decoder.values(of: key.stringValue).allSatisfy(\.isEmpty) }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        let texts = decoder.values(of: key.stringValue)
        return try FieldValue(source: decoder.source, known: decoder.known, name: key.stringValue, texts: texts).decode(type)
    }

    // Empty text is a text.
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        contains(key) ? try decode(type, forKey: key) : nil
    }

    func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        throw decoder.source.nested(key.stringValue)
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        FieldList(
            value: FieldValue(
                source: decoder.source, known: decoder.known, name: key.stringValue, texts: decoder.values(of: key.stringValue))
        )
    }
    func superDecoder() -> any Decoder { decoder }
    func superDecoder(forKey key: Key) -> any Decoder { decoder }
}

/// The texts of one field.
private struct FieldValue: Decoder, SingleValueDecodingContainer {
    let source: FieldSource
    let known: FieldText.KnownTypes
    let name: String
    let texts: [String]
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if texts.isEmpty, !(type is any RangeReplaceableCollection.Type && type != String.self) { throw source.missing(name) }
        guard let known = known(texts.first ?? "", type) else { return try decodeOther(type) }
        guard let value = known as? Value else { throw source.invalid(name, type) }
        return value
    }

    private func decodeOther<Value: Decodable>(_ type: Value.Type) throws -> Value {
        do {
            return try Value(from: self)
        } catch is DecodingError {
            throw source.invalid(name, type)
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        throw DecodingError.typeMismatch([String: String].self, .init(codingPath: [], debugDescription: "a field is one text"))
    }
    func unkeyedContainer() -> any UnkeyedDecodingContainer { FieldList(value: self) }
    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    private func first<Value: LosslessStringConvertible>(_ type: Value.Type) throws -> Value {
        guard let text = texts.first else { throw source.missing(name) }
        guard let value = FieldText.value(text, as: type) else { throw source.invalid(name, type) }
        return value
    }

    func decodeNil() -> Bool { texts.isEmpty }
    func decode(_ type: Bool.Type) throws -> Bool { try first(type) }
    func decode(_ type: String.Type) throws -> String { try first(type) }
    func decode(_ type: Double.Type) throws -> Double { try first(type) }
    func decode(_ type: Float.Type) throws -> Float { try first(type) }
    func decode(_ type: Int.Type) throws -> Int { try first(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try first(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try first(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try first(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try first(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try first(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try first(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try first(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try first(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try first(type) }
}

/// A field that is repeated, as a list.
private struct FieldList: UnkeyedDecodingContainer {
    let value: FieldValue
    private(set) var currentIndex = 0
    var codingPath: [any CodingKey] { [] }
    var count: Int? { value.texts.count }
    var isAtEnd: Bool { currentIndex >= value.texts.count }

    init(value: FieldValue) { self.value = value }

    mutating func decodeNil() -> Bool { false }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        guard !isAtEnd else { throw value.source.missing(value.name) }
        defer { currentIndex += 1 }
        return try FieldValue(
            source: value.source, known: value.known, name: value.name, texts: [value.texts[currentIndex]]
        ).decode(type)
    }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        throw value.source.nested(value.name)
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { throw value.source.nested(value.name) }
    mutating func superDecoder() throws -> any Decoder { throw value.source.nested(value.name) }
}

extension FieldSource {
    /// A field has no structure: our mistake, not the client's.
    fileprivate func nested(_ name: String) -> HTTPError {
        HTTPError(.internalServerError, detail: "the \(kind) '\(name)' is one text: a structure cannot be read from it")
    }
}
