public import FoundationEssentials
public import SluiceCore

/// An event's JSON text, or that of one of its records.
public struct LambdaEvent: Sendable {
    /// UTF-8, 6 MB at most.
    public let json: [UInt8]

    /// - Parameter json: The text as UTF-8. Whether it is JSON is for whoever reads it to say.
    public init(json: [UInt8]) { self.json = json }

    /// - Parameter json: The text. Whether it is JSON is for whoever reads it to say.
    public init(_ json: String) { self.json = Array(json.utf8) }

    /// The JSON as text.
    public var text: String { String(decoding: json, as: UTF8.self) }

    /// The event as a type of yours, which names just the fields that it wants.
    ///
    /// - Throws: `DecodingError`; also where a name has more than 30 combining marks in a row: clients choose some of them.
    @_alwaysEmitIntoClient
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try JSONNames.check(json, of: "the event")
        return try JSONDecoder().decode(type, from: Data(json))
    }
}
