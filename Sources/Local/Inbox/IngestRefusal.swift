/// Why the inbox does not take a request, as Sentry would answer it.
struct IngestRefusal: Error, Equatable {
    let status: Int
    let reason: String
    let detail: String

    static func malformed(_ detail: String) -> IngestRefusal {
        IngestRefusal(status: 400, reason: "Bad Request", detail: detail)
    }

    static func forbidden(_ detail: String) -> IngestRefusal {
        IngestRefusal(status: 403, reason: "Forbidden", detail: detail)
    }

    static func notFound(_ detail: String) -> IngestRefusal {
        IngestRefusal(status: 404, reason: "Not Found", detail: detail)
    }

    static let tooLarge = IngestRefusal(
        status: 413, reason: "Content Too Large", detail: "the envelope is over \(ReportInbox.envelopeLimit) bytes")
}
