public import FoundationEssentials

/// How an app's JSON is written and read: `LambdaApp(json: …)`. Both are made anew for each use, as coders may not be shared.
public struct JSONCoders: Sendable {
    /// One reference: it travels in each request.
    private let makers: Makers

    private final class Makers: Sendable {
        let encoder: @Sendable () -> JSONEncoder
        let decoder: @Sendable () -> JSONDecoder

        init(_ encoder: @escaping @Sendable () -> JSONEncoder, _ decoder: @escaping @Sendable () -> JSONDecoder) {
            (self.encoder, self.decoder) = (encoder, decoder)
        }
    }

    func makeEncoder() -> JSONEncoder { makers.encoder() }
    func makeDecoder() -> JSONDecoder { makers.decoder() }

    /// Dates are ISO 8601, slashes are not escaped, and keys are sorted: equal values have equal bytes, and so equal entity tags.
    public static let standard = JSONCoders()

    /// - Parameters:
    ///   - encoder: Makes what writes responses; that of ``standard`` unless given.
    ///   - decoder: Makes what reads requests' bodies; that of ``standard`` unless given.
    public init(
        encoder: @escaping @Sendable () -> JSONEncoder = {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            encoder.dateEncodingStrategy = .iso8601
            return encoder
        },
        decoder: @escaping @Sendable () -> JSONDecoder = {
            let decoder = JSONDecoder()
            decoder.dateDecodingStrategy = .iso8601
            return decoder
        }
    ) {
        makers = Makers(encoder, decoder)
    }
}
