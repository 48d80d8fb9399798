/// The readable line of something that was received.
enum ReportLine {
    /// Tags that every report of ours has: the line shows what is special about one.
    private static let ownTags: Set = ["aws_region", "handled", "outcome"]
    private static let valueLimit = 300

    static func event(_ event: ReportedEvent) -> String {
        let title = [event.type, event.value].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ": ")
        var parts = ["report", title.isEmpty ? "(an event without exception and message)" : title, event.level]
        if let frame = event.topFrame, !frame.isEmpty { parts.append(frame) }
        for tag in event.tags where !ownTags.contains(tag.key) { parts.append("\(tag.key)=\(tag.value)") }
        return parts.map(readable).joined(separator: "  ")
    }

    static func transaction(_ one: ReportedTransaction) -> String {
        let time = one.milliseconds.map { ["\(($0 * 10).rounded() / 10) ms"] } ?? []
        return (["trace", one.name, one.status] + time + ["\(one.spans) spans"]).map(readable).joined(separator: "  ")
    }

    static func compressed(_ encoding: String, bytes: Int) -> String { "compressed report  \(encoding)  \(bytes) B" }

    static func logs(_ count: Int) -> String { "logs \(count)" }

    static func clientReport(_ discarded: [ReportedItem.Discarded]) -> String {
        let losses = discarded.map { readable("\($0.reason) \($0.category) \($0.quantity)") }
        return "client report  " + (losses.isEmpty ? "nothing lost" : losses.joined(separator: ", "))
    }

    static func other(_ type: String, bytes: Int) -> String { "item of type \(readable(type))  \(bytes) B" }

    /// The text on one line, of a bearable length, and without what a terminal would obey.
    private static func readable(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(valueLimit) {
            switch scalar {
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default:
                if scalar.properties.generalCategory == .control {
                    result += "\\u{\(String(scalar.value, radix: 16))}"
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return text.unicodeScalars.count > valueLimit ? result + "…" : result
    }
}
