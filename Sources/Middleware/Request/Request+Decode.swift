public import SluiceCore

extension Request {
    /// The body as a value, by its `Content-Type`: JSON, also where it has none, a form, or the text fields of a multipart body.
    ///
    /// JSON is UTF-8, and its dates are ISO 8601 unless the app has ``JSONCoders`` of its own. What a form's fields may be: ``Form/decode(_:)``.
    /// - Throws: ``HTTPError``: a 400 that names the field which is missing or wrong; also where the body is not UTF-8, or a name has
    ///   more than 30 combining marks in a row, which no language needs (UAX #15, section 13); a 415 for any other content. By what
    ///   ``Validatable`` says, a ``ValidationError``: a 422 that names all fields which are wrong.
    @_alwaysEmitIntoClient
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try decode(type, known: FieldText.foundationValue) { try JSONCoders.decode(type, from: $0, with: $1) }
    }

    /// - Parameters:
    ///   - known: What else a field may be.
    ///   - json: Reads a value from JSON with the app's coders.
    @usableFromInline
    func decode<Value: Decodable>(
        _ type: Value.Type, known: @escaping FieldText.KnownTypes,
        json: (_ json: [UInt8], _ coders: JSONCoders?) throws -> Value
    ) throws -> Value {
        if let content = headers[.contentType], let media = MediaType(content), !media.isJSON {
            switch media.essence {
            case "application/x-www-form-urlencoded", "multipart/form-data": return try decodeForm(type, known)
            default:
                throw HTTPError(.unsupportedMediaType, "JSON or a form was expected, not '\(media.essence)'")
            }
        }
        return try decodeJSON(json).checked()
    }

    /// - Throws: ``HTTPError``, a 500, where a middleware above has made a stream of the body: our mistake, not the client's.
    func wholeBody() throws -> [UInt8] {
        guard let bytes = body.bytes else {
            throw HTTPError(
                .internalServerError, detail: "the request's body is a stream: whoever made it so must collect() it first")
        }
        return bytes
    }

    private func decodeForm<Value: Decodable>(
        _ type: Value.Type, _ known: @escaping FieldText.KnownTypes
    ) throws -> Value {
        do {
            return try form().decode(type, known: known)
        } catch let error as HTTPError where error.status == .badRequest && ((try? wholeBody())?.first == 0x7B) {
            // What `curl -d '{…}'` sends.
            throw HTTPError(.badRequest, "\(error.message); the body looks like JSON, its Content-Type says that it is a form")
        }
    }

    private func decodeJSON<Value: Decodable>(
        _ read: (_ json: [UInt8], _ coders: JSONCoders?) throws -> Value
    ) throws -> Value {
        guard try !wholeBody().isEmpty else { throw HTTPError(.badRequest, "the body is empty, JSON was expected") }
        // The decoder hashes names, for which a long run of combining marks takes the square of its length.
        if let problem = try JSONNames.problem(in: wholeBody()) { throw HTTPError(.badRequest, "the body \(problem)") }
        do {
            return try read(wholeBody(), fields.coders)
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
