#if os(Linux)
extension Collection where Element: Equatable {
    /// What `text.split(separator: "; ")` calls, in the place of the standard library's own: that one lies in one piece with the parser of
    /// regular expressions, an eighth of a small program, and swift-http-types calls it for one header. `split.c` gives it its name.
    ///
    /// - Parameters:
    ///   - maxSplits: How often it is split at most; an empty part that is left out does not count.
    ///   - omittingEmptySubsequences: Whether empty parts are left out.
    @usableFromInline @_silgen_name("sluice_split")
    func splitAsLinked<Separator: Collection>(
        separator: Separator, maxSplits: Int, omittingEmptySubsequences: Bool
    ) -> [SubSequence] where Separator.Element == Element {
        let separator = Array(separator)
        var parts: [SubSequence] = []
        var (start, place) = (startIndex, startIndex)
        func take(until end: Index) {
            if start != end || !omittingEmptySubsequences { parts.append(self[start..<end]) }
        }
        while !isEmpty, parts.count < maxSplits, place != endIndex || separator.isEmpty {
            var end = place
            let isHere = separator.allSatisfy { element in
                guard end != endIndex, self[end] == element else { return false }
                formIndex(after: &end)
                return true
            }
            guard isHere else {
                formIndex(after: &place)
                continue
            }
            take(until: place)
            start = end
            // An empty separator is between any two elements.
            guard separator.isEmpty else {
                place = end
                continue
            }
            if place == endIndex { break }
            formIndex(after: &place)
        }
        take(until: endIndex)
        return parts
    }
}
#endif
