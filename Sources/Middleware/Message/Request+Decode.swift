internal import FoundationEssentials
internal import SluiceCore

extension Request {
    /// The body as JSON, UTF-8. Dates are ISO 8601, unless the app has ``JSONCoders`` of its own.
    ///
    /// - Throws: ``HTTPError``, a 400 that names the field which is missing or wrong; also where the body is not UTF-8, or a name has
    ///   more than 30 combining marks in a row, which no language needs (UAX #15, section 13).
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        guard !body.plainBytes.isEmpty else { throw HTTPError(.badRequest, "the body is empty, JSON was expected") }
        // The decoder hashes names, for which a long run of combining marks takes the square of its length.
        if let problem = JSONNames.problem(in: body.plainBytes) { throw HTTPError(.badRequest, "the body \(problem)") }
        do {
            return try (coders ?? .standard).makeDecoder().decode(type, from: Data(body.plainBytes))
        } catch let error as DecodingError {
            throw HTTPError(.badRequest, Self.explain(error), detail: String(describing: error), cause: error)
        }
    }

    private static func explain(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            "the body's field '\(name(context.codingPath + [key]))' is missing"
        case .valueNotFound(let type, let context):
            "the body's field '\(name(context.codingPath))' is null, \(type) was expected"
        case .typeMismatch(let type, let context):
            "the body's field '\(name(context.codingPath))' is not of type \(type)"
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            "the body is not valid JSON"
        case .dataCorrupted(let context):
            "the body's field '\(name(context.codingPath))' has no valid value"
        @unknown default:
            "the body is not what was expected"
        }
    }

    private static func name(_ path: [any CodingKey]) -> String {
        path.isEmpty ? "(the whole body)" : path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }
}
