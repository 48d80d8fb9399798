internal import SluiceCore
internal import SluiceReporting

extension Losses {
    /// The payload of a `client_report` item.
    ///
    /// - SeeAlso: Sentry's developer documentation, "Client reports".
    func clientReport(at now: WallClock.Instant) -> [UInt8] {
        var entries: [(reason: String, category: ReportCategory, quantity: Int)] = []
        for (key, count) in counts {
            let reason = key.reason.rawValue
            switch key.kind {
            case .event: entries.append((reason, .error, count.things))
            case .logs:
                entries.append((reason, .logItem, count.things))
                if count.size > 0 { entries.append((reason, .logByte, count.size)) }
            case .spans:
                entries.append((reason, .transaction, count.things))
                entries.append((reason, .span, count.size))
            case .losses: continue
            }
        }
        entries.sort { ($0.reason, $0.category.rawValue) < ($1.reason, $1.category.rawValue) }
        var json = JSONWriter()
        json.object { json in
            json.key("timestamp")
            json.number(now.secondsSinceEpoch)
            json.key("discarded_events")
            json.array { json in
                for (reason, category, quantity) in entries {
                    json.object { json in
                        json.field("reason", reason)
                        json.field("category", category.rawValue)
                        json.field("quantity", quantity)
                    }
                }
            }
        }
        return json.bytes
    }
}
