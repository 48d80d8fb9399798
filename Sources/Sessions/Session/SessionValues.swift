/// A session's values: a fragment of JSON for each key, and one JSON object where they are kept.
struct SessionValues: Sendable, Equatable {
    /// How many keys there are at most.
    static let mostKeys = 256
    /// How many bytes a key has at most.
    static let longestKey = 256
    /// How many bytes all of it has at most, wherever it is kept. A cookie ends far below.
    static let mostBytes = 262_144

    private var fragments: [String: [UInt8]] = [:]

    /// No values.
    init() {}

    /// Nil where these bytes are nothing that ``encoded()`` gives.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.mostBytes, let members = JSONFragment.members(of: bytes), members.count <= Self.mostKeys
        else { return nil }
        for member in members {
            guard let key = JSONFragment.text(member.name), key.utf8.count <= Self.longestKey else { return nil }
            fragments[key] = member.value
        }
    }

    subscript(key: String) -> [UInt8]? {
        get { fragments[key] }
        set { fragments[key] = newValue }
    }

    var isEmpty: Bool { fragments.isEmpty }

    /// The key whose value has most bytes, for whoever must say that there are too many.
    var largest: (key: String, byteCount: Int)? {
        fragments.max { $0.value.count < $1.value.count }.map { ($0.key, $0.value.count) }
    }

    /// As one object, its keys sorted.
    ///
    /// - Throws: ``SessionError``, where a limit is exceeded.
    func encoded() throws(SessionError) -> [UInt8] {
        guard fragments.count <= Self.mostKeys else { throw .tooManyKeys(fragments.count) }
        var bytes: [UInt8] = [0x7B]
        for (key, fragment) in fragments.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            guard key.utf8.count <= Self.longestKey else { throw .tooLongKey(key) }
            if bytes.count > 1 { bytes.append(0x2C) }
            bytes += JSONFragment.quoted(key) + [0x3A] + fragment
        }
        bytes.append(0x7D)
        guard bytes.count <= Self.mostBytes else { throw .tooLarge(bytes.count, limit: Self.mostBytes, of: self) }
        return bytes
    }
}
