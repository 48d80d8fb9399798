public import SluiceCore

/// Reads a value from JSON with an app's coders; nil for the standard ones. Compiled into the app: see ``JSONCoders``.
@usableFromInline
typealias JSONReading<Value> = @Sendable (_ json: [UInt8], _ coders: JSONCoders?) throws -> Value

/// Writes a value as JSON, as ``JSONReading`` reads one.
@usableFromInline
typealias JSONWriting<Value> = @Sendable (_ value: Value, _ coders: JSONCoders?) throws -> [UInt8]

/// Reads bodies of one type: bytes and text as they are, everything else from JSON.
struct BodyReader<Body: Sendable>: Sendable {
    private let json: JSONReading<Body>
    private let coders: JSONCoders?

    init(_ json: @escaping JSONReading<Body>, _ coders: JSONCoders?) { (self.json, self.coders) = (json, coders) }

    /// - Throws: `DecodingError`; also where a decoder should not see the text: who sends it chooses its names.
    func body(from text: [UInt8]) throws -> Body {
        if Body.self == [UInt8].self, let bytes = text as? Body { return bytes }
        guard Body.self == String.self else {
            try JSONNames.check(text, of: "the body")
            return try json(text, coders)
        }
        guard let body = String(validating: text, as: UTF8.self) as? Body else {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "the body is not UTF-8"))
        }
        return body
    }
}
