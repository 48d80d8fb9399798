@_spi(JSON) internal import SluiceCore

/// What is around the body of a record, or of an event that has none.
protocol EventEnvelope: Sendable {
    /// Takes a record's text apart.
    ///
    /// - Parameter requestID: The invocation's, for what has no id of its own.
    init(_ raw: LambdaEvent, requestID: String) throws(JSONError)

    var source: EventSource { get }
    /// The record's own id.
    var id: String { get }
    /// By which a reply tells Lambda which record it is about; nil where replies do not, or where the record has none.
    var identifier: String? { get }
    /// Where it came from, as `queue orders`.
    var place: String { get }
    /// What it is, as `message 7f3c… of queue orders`.
    var what: String { get }
}

extension EventEnvelope {
    var identifier: String? { nil }

    /// The tags of its failure.
    var tags: [String: String] { [Failure.sourceTag: source.rawValue, Failure.recordTag: id] }
}

extension String {
    /// The last part of an ARN: a queue's name, say; nil where there is none.
    var nameInARN: String? {
        let name = split(at: ":").last.map(String.init) ?? ""
        return name.isEmpty ? nil : name
    }
}

/// A record that lacks what its handler cannot do without.
func missing(_ field: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: [], debugDescription: "the record has no usable '\(field)'"))
}
