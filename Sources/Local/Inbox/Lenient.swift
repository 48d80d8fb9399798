/// A value that may be missing or of another kind: a report with one odd field is a report all the same.
struct Lenient<Value: Decodable>: Decodable {
    let value: Value?

    init(from decoder: any Decoder) throws {
        value = try? decoder.singleValueContainer().decode(Value.self)
    }
}

/// A value of any kind, of which only its being there counts.
struct Ignored: Decodable {
    init(from decoder: any Decoder) throws {}
}

extension KeyedDecodingContainer {
    /// The value of this key; nil when there is none of this kind.
    func lenient<Value: Decodable>(_: Value.Type, _ key: Key) -> Value? {
        try? decode(Value.self, forKey: key)
    }
}
