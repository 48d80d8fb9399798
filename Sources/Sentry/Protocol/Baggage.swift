internal import SluiceCore
internal import SluiceReporting

/// The `baggage` header (W3C): what is ours in it, and what is not.
struct Baggage: Sendable {
    /// A name without `sentry-`, and its value, percent-decoded.
    typealias Member = TraceContext.Member

    /// Ours, in order.
    var sentry: [Member] = []
    /// Everybody else's, as they came.
    var others: [String] = []

    static let limit = 8192

    /// Several header lines are joined with a comma before. Members that are empty or cannot be decoded are left out.
    init(_ text: String) {
        for member in text.split(at: ",") {
            let member = member.trimmed
            guard let (before, after) = member.cut(at: "=") else { continue }
            let (name, value) = (before.trimmed, after.trimmed)
            guard !name.isEmpty, !value.isEmpty else { continue }
            guard name.begins(with: "sentry-") else {
                others.append(String(member))
                continue
            }
            let plain = value.split(at: ";", maxSplits: 1).first ?? value
            let own = String(Substring(name.utf8.dropFirst(7)))
            guard let decoded = PercentEncoding.decode(plain), !own.isEmpty else { continue }
            sentry.append(Member(name: own, value: decoded))
        }
    }

    /// A header for an outgoing request: others' members stay, all old ones of ours go as soon as there is a new one. Members that
    /// would make it longer than 8192 bytes are left out.
    static func header(existing: String?, adding members: [(String, String)]) -> String? {
        let old = existing.map { Baggage($0) }
        let ours = members.isEmpty ? (old?.sentry.map { ($0.name, $0.value) } ?? []) : members
        var text = ""
        for part in (old?.others ?? [])
            + ours.map({ "sentry-\(PercentEncoding.unreserved($0.0))=\(PercentEncoding.unreserved($0.1))" })
        {
            let longer = text.isEmpty ? part : text + "," + part
            guard longer.utf8.count <= limit else { continue }
            text = longer
        }
        return text.isEmpty ? nil : text
    }
}
