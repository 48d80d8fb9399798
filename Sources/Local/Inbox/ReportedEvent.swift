/// What a person wants to know of an event at first sight: read from the payload by our own code.
struct ReportedEvent: Sendable, Equatable, Decodable {
    struct Tag: Sendable, Equatable {
        let key: String
        let value: String
    }

    let id: String?
    /// `error` when the payload says nothing, as Sentry has it.
    let level: String
    /// The type of the last exception, which is the one that was thrown.
    let type: String?
    /// The value of the last exception; the message of an event that has none.
    let value: String?
    /// Function and file:line of the last exception's last frame.
    let topFrame: String?
    let tags: [Tag]
    /// The id in `contexts["aws.lambda"].aws_request_id`.
    let requestID: String?

    private enum Key: String, CodingKey {
        case id = "event_id"
        case level, exception, message, logentry, tags, contexts
    }

    private struct Message: Decodable {
        let formatted: String?
        let message: String?
    }

    /// - Throws: `DecodingError` when the payload is no JSON object; no field is required.
    init(from decoder: any Decoder) throws {
        let event = try decoder.container(keyedBy: Key.self)
        let exception = event.lenient(ReportedExceptions.self, .exception)?.values.last
        let entry = event.lenient(Message.self, .logentry) ?? event.lenient(Message.self, .message)
        id = event.lenient(String.self, .id)
        level = event.lenient(String.self, .level) ?? "error"
        type = exception?.type
        if let exception {
            value = exception.value
        } else {
            value = entry?.formatted ?? entry?.message ?? event.lenient(String.self, .message)
        }
        topFrame = exception?.stacktrace?.value?.frames.last?.value?.description
        tags = event.lenient(ReportedTags.self, .tags)?.tags ?? []
        requestID = event.lenient(ReportedContexts.self, .contexts)?.requestID
    }
}
