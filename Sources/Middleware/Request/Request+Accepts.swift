internal import HTTPTypes
internal import SluiceCore

extension Request {
    /// The media type that suits the client best, of those that you can give (RFC 9110, section 12.5.1).
    ///
    /// The client's weights decide, then your order. Without an `Accept` header it is your first. Whoever answers by this adds
    /// `Vary: Accept` to the response.
    /// - Parameter types: As `text/html`; parameters count: `text/html;level=1`.
    /// - Returns: Nil when the client wants none of these: a 406, if you have nothing else.
    public func accepts(_ types: String...) -> String? { accepts(among: types) }

    func accepts(among types: [String]) -> String? {
        let lines = headers[values: .accept]
        guard !lines.isEmpty else { return types.first }
        let list = QualityList(lines.joined(separator: ","))
        // A header of nothing asks for nothing.
        guard !list.entries.isEmpty else { return types.first }
        var best: (type: String, weight: Int)?
        for type in types {
            let weight = Self.weight(of: type, in: list)
            if weight > best?.weight ?? 0 { best = (type, weight) }
        }
        return best?.type
    }

    /// The weight of the most specific range that a type falls into; 0 where there is none.
    private static func weight(of type: String, in list: QualityList) -> Int {
        var parts = type.split(at: ";").map(\.trimmed)
        guard !parts.isEmpty, let (main, sub) = parts.removeFirst().cut(at: "/") else { return 0 }
        var best = (specificity: -1, weight: 0)
        for entry in list.entries {
            guard let (rangeMain, rangeSub) = entry.value.cut(at: "/") else { continue }
            let specificity: Int
            if rangeMain == "*", rangeSub == "*" {
                specificity = 0
            } else if rangeMain.isSame(ignoringCase: main), rangeSub == "*" {
                specificity = 1
            } else if rangeMain.isSame(ignoringCase: main), rangeSub.isSame(ignoringCase: sub),
                entry.parameters.allSatisfy({ wanted in parts.contains { $0.isSame(ignoringCase: wanted) } })
            {
                specificity = 2 + entry.parameters.count
            } else {
                continue
            }
            if specificity > best.specificity { best = (specificity, entry.weight) }
        }
        return best.weight
    }
}
