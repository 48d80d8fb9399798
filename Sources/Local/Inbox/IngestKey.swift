internal import SluiceStreaming

/// The public key by which a request authenticates: in `X-Sentry-Auth`, or in the query.
enum IngestKey {
    /// Any key will do; what an app may get wrong is to send none.
    ///
    /// - Throws: ``IngestRefusal`` with 403 when there is none, or two that differ.
    static func check(_ head: HTTPMessageHead) throws(IngestRefusal) {
        let keys = [head["x-sentry-auth"].flatMap(inHeader), inQuery(head.target)].compactMap { $0 }
        guard let key = keys.first, !key.isEmpty else {
            throw .forbidden("no sentry_key: neither in the header X-Sentry-Auth nor in the query")
        }
        guard keys.allSatisfy({ $0 == key }) else { throw .forbidden("the header and the query have different keys") }
    }

    /// `Sentry sentry_version=7, sentry_key=…`, in any order.
    private static func inHeader(_ value: String) -> String? {
        guard value.lowercased().hasPrefix("sentry ") else { return nil }
        return field("sentry_key", in: value.dropFirst(7), separator: ",")
    }

    private static func inQuery(_ target: String) -> String? {
        let parts = target.parts(at: "?", atMost: 2)
        guard parts.count == 2 else { return nil }
        return field("sentry_key", in: parts[1], separator: "&")?.percentDecoded
    }

    private static func field(_ name: String, in text: Substring, separator: Unicode.Scalar) -> String? {
        for field in text.parts(at: separator) {
            let pair = field.parts(at: "=", atMost: 2)
            if pair.count == 2, pair[0].withoutBlanks == name { return pair[1].withoutBlanks }
        }
        return nil
    }
}
