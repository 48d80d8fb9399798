extension String {
    /// The text in a C struct's array of characters, which Swift has as a tuple; nil where it is empty.
    package init?<T>(cField tuple: inout T) {
        let text = withUnsafeBytes(of: &tuple) { raw in String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self) }
        guard !text.isEmpty else { return nil }
        self = text
    }
}
