public import FoundationEssentials

// What names a coder here, and wherever one is used, is compiled into the module that calls it, and into no other: a program that neither
// decodes nor encodes JSON does not link FoundationEssentials, which is two fifths of one that does.

/// How an app's JSON is written and read: `LambdaApp(json: …)`. Both are made anew for each use, as coders may not be shared.
public struct JSONCoders: Sendable {
    /// One reference: it travels in each request.
    private let makers: Makers

    /// Classes of Foundation's as objects: their types would link it.
    private final class Makers: Sendable {
        let encoder: @Sendable () -> AnyObject
        let decoder: @Sendable () -> AnyObject

        init(_ encoder: @escaping @Sendable () -> AnyObject, _ decoder: @escaping @Sendable () -> AnyObject) {
            (self.encoder, self.decoder) = (encoder, decoder)
        }
    }

    /// Dates are ISO 8601, slashes are not escaped, and keys are sorted: equal values have equal bytes, and so equal entity tags.
    @_alwaysEmitIntoClient
    public static var standard: JSONCoders { JSONCoders() }

    /// - Parameters:
    ///   - encoder: Makes what writes responses; that of ``standard`` unless given.
    ///   - decoder: Makes what reads requests' bodies; that of ``standard`` unless given.
    @_alwaysEmitIntoClient
    public init(
        encoder: @escaping @Sendable () -> JSONEncoder = { JSONCoders.standardEncoder() },
        decoder: @escaping @Sendable () -> JSONDecoder = { JSONCoders.standardDecoder() }
    ) {
        self.init(encoderObject: { encoder() }, decoderObject: { decoder() })
    }

    @usableFromInline
    package init(
        encoderObject: @escaping @Sendable () -> AnyObject, decoderObject: @escaping @Sendable () -> AnyObject
    ) {
        makers = Makers(encoderObject, decoderObject)
    }

    @usableFromInline package func encoderObject() -> AnyObject { makers.encoder() }
    @usableFromInline package func decoderObject() -> AnyObject { makers.decoder() }
}

extension JSONCoders {
    @_alwaysEmitIntoClient
    package static func standardEncoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return encoder
    }

    @_alwaysEmitIntoClient
    package static func standardDecoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }

    /// - Parameter coders: Nil for the standard ones.
    @_alwaysEmitIntoClient
    package static func encoder(of coders: JSONCoders?) -> JSONEncoder {
        coders?.encoderObject() as? JSONEncoder ?? standardEncoder()
    }

    /// - Parameter coders: Nil for the standard ones.
    @_alwaysEmitIntoClient
    package static func encode(_ value: some Encodable, with coders: JSONCoders?) throws -> [UInt8] {
        [UInt8](try encoder(of: coders).encode(value))
    }

    /// - Parameter coders: Nil for the standard ones.
    @_alwaysEmitIntoClient
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from json: [UInt8], with coders: JSONCoders?
    ) throws -> Value {
        let decoder = coders?.decoderObject() as? JSONDecoder ?? standardDecoder()
        return try decoder.decode(type, from: Data(json))
    }
}
