/// An event's tags: an object, or a list of pairs, whose order is kept.
struct ReportedTags: Decodable {
    let tags: [ReportedEvent.Tag]

    /// Strings by rule; what else is there is shown as it would be read.
    private struct Text: Decodable {
        let text: String?

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let text = try? value.decode(String.self) {
                self.text = text
            } else if let flag = try? value.decode(Bool.self) {
                text = String(flag)
            } else if let number = try? value.decode(Int.self) {
                text = String(number)
            } else {
                text = (try? value.decode(Double.self)).map { String($0) }
            }
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let object = try? container.decode([String: Text].self) {
            tags = object.sorted { $0.key < $1.key }.compactMap { key, value in value.text.map { .init(key: key, value: $0) } }
        } else {
            tags = try container.decode([Lenient<[Text]>].self).compactMap { pair in
                guard let pair = pair.value, pair.count == 2, let key = pair[0].text, let value = pair[1].text else {
                    return nil
                }
                return .init(key: key, value: value)
            }
        }
    }
}
