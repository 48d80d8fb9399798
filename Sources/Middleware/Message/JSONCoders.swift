public import FoundationEssentials

/// How an app's JSON is written and read: `LambdaApp(json: …)`. Both are made anew for each use, as coders may not be shared.
public struct JSONCoders: Sendable {
    let makeEncoder: @Sendable () -> JSONEncoder
    let makeDecoder: @Sendable () -> JSONDecoder

    /// Dates are ISO 8601, and slashes are not escaped.
    public static let standard = JSONCoders()

    /// - Parameters:
    ///   - encoder: Makes what writes responses; that of ``standard`` unless given.
    ///   - decoder: Makes what reads requests' bodies; that of ``standard`` unless given.
    public init(
        encoder: @escaping @Sendable () -> JSONEncoder = {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .withoutEscapingSlashes
            encoder.dateEncodingStrategy = .iso8601
            return encoder
        },
        decoder: @escaping @Sendable () -> JSONDecoder = {
            let decoder = JSONDecoder()
            decoder.dateDecodingStrategy = .iso8601
            return decoder
        }
    ) {
        makeEncoder = encoder
        makeDecoder = decoder
    }
}
