internal import SluiceCore

/// A list of statuses and ranges: `500,502-504`. Blanks are allowed; what cannot be read is skipped and named.
struct StatusList: Sendable {
    private(set) var ranges: [ClosedRange<Int>] = []
    private(set) var invalid: [String] = []

    init(_ text: String) {
        for part in text.split(at: ",") {
            let trimmed = part.filter { $0 != " " && $0 != "\t" }
            if trimmed.isEmpty { continue }
            let ends = trimmed.split(at: "-", omittingEmptySubsequences: false).map { Int($0) }
            if ends.count == 1, let only = ends[0] {
                ranges.append(only...only)
            } else if ends.count == 2, let low = ends[0], let high = ends[1], low <= high {
                ranges.append(low...high)
            } else {
                invalid.append(String(trimmed))
            }
        }
    }

    func contains(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } }
}
