internal import FoundationEssentials

/// One item of an envelope, understood.
enum ReportedItem: Sendable, Equatable {
    struct Discarded: Sendable, Equatable, Decodable {
        let reason: String
        let category: String
        let quantity: Int
    }

    case event(ReportedEvent)
    case transaction(ReportedTransaction)
    case logs(count: Int)
    case clientReport([Discarded])
    /// An item of a type that we only name; Sentry's own servers skip types that they do not know.
    case other(type: String, bytes: Int)

    private struct Logs: Decodable {
        let items: [Ignored]
    }

    private struct ClientReport: Decodable {
        let discarded_events: [Discarded]
    }

    /// - Throws: ``IngestRefusal`` when the payload is not what its type promises.
    init(_ item: EnvelopeItem) throws(IngestRefusal) {
        do {
            let (decoder, data) = (JSONDecoder(), Data(item.payload))
            switch item.type {
            case "event": self = .event(try decoder.decode(ReportedEvent.self, from: data))
            case "transaction": self = .transaction(try decoder.decode(ReportedTransaction.self, from: data))
            case "log": self = .logs(count: try decoder.decode(Logs.self, from: data).items.count)
            case "client_report": self = .clientReport(try decoder.decode(ClientReport.self, from: data).discarded_events)
            default: self = .other(type: item.type, bytes: item.payload.count)
            }
        } catch {
            throw .malformed("the payload of an item of type '\(item.type)' is not the JSON that its type asks for")
        }
    }
}
