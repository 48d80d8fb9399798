internal import SluiceCore

/// What tells one state of a resource from another (RFC 9110, section 8.8.3).
struct EntityTag {
    let isWeak: Bool
    /// Between the quotation marks.
    let opaque: Substring

    /// Nil when the text is no entity tag.
    init?(_ text: some StringProtocol) {
        guard let (tag, rest) = Self.read(Substring(text).utf8), rest.isEmpty else { return nil }
        self = tag
    }

    private init(isWeak: Bool, opaque: Substring) { (self.isWeak, self.opaque) = (isWeak, opaque) }

    /// The tag at the beginning, and what comes behind it.
    private static func read(_ text: Substring.UTF8View) -> (EntityTag, Substring.UTF8View)? {
        var rest = text
        let isWeak = rest.starts(with: [0x57, 0x2F])
        if isWeak { rest = rest.dropFirst(2) }
        guard rest.first == 0x22 else { return nil }
        let opaque = rest.dropFirst().prefix { $0 != 0x22 && $0 > 0x20 && $0 != 0x7F }
        rest = rest.dropFirst(1 + opaque.count)
        guard rest.first == 0x22 else { return nil }
        return (EntityTag(isWeak: isWeak, opaque: Substring(opaque)), rest.dropFirst())
    }

    /// Whether both are strong and the same (section 8.8.3.2).
    func isStronglySame(as other: EntityTag) -> Bool { !isWeak && !other.isWeak && opaque.isSame(as: other.opaque) }
    func isWeaklySame(as other: EntityTag) -> Bool { opaque.isSame(as: other.opaque) }

    /// What `If-Match` and `If-None-Match` hold.
    enum List {
        case any
        case tags([EntityTag])

        /// Nil when it cannot be read: then the header is as if it were not there.
        init?(_ text: String) {
            if text.trimmed == "*" {
                self = .any
                return
            }
            var tags: [EntityTag] = []
            var rest = text.utf8[...]
            while true {
                rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x2C }
                if rest.isEmpty { break }
                guard let (tag, behind) = EntityTag.read(rest), tags.count < 1000 else { return nil }
                tags.append(tag)
                rest = behind.drop { $0 == 0x20 || $0 == 0x09 }
                guard rest.isEmpty || rest.first == 0x2C else { return nil }
            }
            guard !tags.isEmpty else { return nil }
            self = .tags(tags)
        }
    }
}
