extension String {
    /// Whether `text` occurs in it; byte by byte.
    package func contains(text: String) -> Bool {
        // In place: a name is compared with some forty terms.
        var (hay, needle) = (self, text)
        return hay.withUTF8 { hay in
            needle.withUTF8 { needle in
                guard !needle.isEmpty, hay.count >= needle.count else { return needle.isEmpty }
                return (0...(hay.count - needle.count)).contains { start in
                    (0..<needle.count).allSatisfy { hay[start + $0] == needle[$0] }
                }
            }
        }
    }

    /// Where `text` first occurs. Foundation has this, FoundationEssentials alone does not need to be here for it.
    package func place(of text: String) -> Range<String.Index>? {
        guard !text.isEmpty else { return nil }
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            formIndex(after: &start)
        }
        return nil
    }
}
