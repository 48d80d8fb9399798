/// The limits on text, obeyed before anything is sent: those of the trackers' protocols, which are generous.
package enum Trim {
    package static let message = 8192
    package static let value = 8192
    package static let tag = 200
    package static let breadcrumb = 2048

    /// Text of at most `limit` characters, the last three of them dots where it was longer.
    package static func text(_ text: String, to limit: Int) -> String {
        // Cheap first: no text has more characters than bytes.
        guard text.utf8.count > limit, text.unicodeScalars.count > limit else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit - 3))) + "..."
    }
}
