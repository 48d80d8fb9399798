package import FoundationEssentials
internal import SluiceCore

/// How bodies are read, and results are written. Makers, as coders may not be shared.
package struct EventCoders: Sendable {
    private let decoder: @Sendable () -> JSONDecoder
    private let encoder: @Sendable () -> JSONEncoder

    package init(decoder: @escaping @Sendable () -> JSONDecoder, encoder: @escaping @Sendable () -> JSONEncoder) {
        (self.decoder, self.encoder) = (decoder, encoder)
    }

    /// Coders as Foundation makes them.
    static let plain = EventCoders(decoder: { JSONDecoder() }, encoder: { JSONEncoder() })

    /// A body: bytes and text as they are, everything else from JSON.
    ///
    /// - Throws: `DecodingError`.
    func body<Body: Decodable>(_ type: Body.Type, from text: [UInt8]) throws -> Body {
        if type == [UInt8].self, let bytes = text as? Body { return bytes }
        guard type == String.self else { return try decode(type, from: text, of: "the body") }
        guard let body = String(validating: text, as: UTF8.self) as? Body else {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "the body is not UTF-8"))
        }
        return body
    }

    /// - Throws: `DecodingError`; also where a decoder should not see the text: who sends it chooses its names.
    func decode<Value: Decodable>(_ type: Value.Type, from json: [UInt8], of what: StaticString) throws -> Value {
        if let problem = JSONNames.problem(in: json) {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "\(what) \(problem)"))
        }
        return try decoder().decode(type, from: Data(json))
    }

    func encode(_ value: some Encodable) throws -> [UInt8] { Array(try encoder().encode(value)) }
}
