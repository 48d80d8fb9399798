internal import SluiceCore

/// What a header such as `Accept-Encoding` asks for: values, each with its weight (RFC 9110, section 12.4.2).
struct QualityList {
    struct Entry {
        /// The value with its parameters but the weight, without spaces around them: `text/html;level=1`.
        let value: Substring
        let parameters: [Substring]
        /// From 0, which means "not this", to 1000.
        let weight: Int
    }

    private(set) var entries: [Entry] = []

    /// What one header may hold; more is left out.
    private static let limit = 100

    /// - Parameter text: The header's value. Entries that cannot be read are left out.
    init(_ text: String) {
        for item in text.split(at: ",", maxSplits: Self.limit).prefix(Self.limit) {
            var parts = item.split(at: ";", omittingEmptySubsequences: false).map(\.trimmed)
            let value = parts.removeFirst()
            guard !value.isEmpty else { continue }
            var weight = 1000
            var isReadable = true
            var parameters: [Substring] = []
            for part in parts {
                if part.begins(with: "q=") || part.begins(with: "Q=") {
                    // What follows the weight says how to accept, not what.
                    guard let read = Self.weight(part.utf8.dropFirst(2)) else {
                        isReadable = false
                        break
                    }
                    weight = read
                    break
                }
                if !part.isEmpty { parameters.append(part) }
            }
            if isReadable { entries.append(Entry(value: value, parameters: parameters, weight: weight)) }
        }
    }

    /// `0`, `1`, `0.5`, `0.123`: at most three digits behind the point.
    private static func weight(_ text: Substring.UTF8View.SubSequence) -> Int? {
        guard let first = text.first, first == 0x30 || first == 0x31 else { return nil }
        var thousandths = first == 0x31 ? 1000 : 0
        let rest = text.dropFirst()
        guard !rest.isEmpty else { return thousandths }
        guard rest.first == 0x2E, rest.count <= 4 else { return nil }
        var unit = 100
        for digit in rest.dropFirst() {
            guard (0x30...0x39).contains(digit) else { return nil }
            thousandths += Int(digit - 0x30) * unit
            unit /= 10
        }
        return thousandths <= 1000 ? thousandths : nil
    }

    /// The weight of a value that has no structure, such as a content coding, under the first of its names that is there, else that of `*`;
    /// nil where none is.
    func weight(of names: String...) -> Int? {
        for name in names {
            if let entry = entries.first(where: { $0.value.isSame(ignoringCase: name) }) { return entry.weight }
        }
        return entries.first { $0.value == "*" }?.weight
    }
}
