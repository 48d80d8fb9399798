/// An event's exceptions, deepest cause first: `{"values": […]}`, or the bare list that Sentry takes as well.
struct ReportedExceptions: Decodable {
    struct Exception: Decodable {
        let type: String?
        let value: String?
        let stacktrace: Lenient<Stack>?
    }

    struct Stack: Decodable {
        let frames: [Lenient<Frame>]
    }

    struct Frame: Decodable, CustomStringConvertible {
        let function: String?
        let raw_function: String?
        let filename: String?
        let abs_path: String?
        let lineno: Int?
        let instruction_addr: String?

        /// The place, as `lookup(id:) Users.swift:12`, or what there is of it.
        var description: String {
            let name = function ?? raw_function ?? instruction_addr
            let file = (filename ?? abs_path).map { file in lineno.map { "\(file):\($0)" } ?? file }
            return [name, file].compactMap { $0 }.joined(separator: " ")
        }
    }

    let values: [Exception]

    private enum Key: CodingKey { case values }

    init(from decoder: any Decoder) throws {
        let all: [Lenient<Exception>]
        if let object = try? decoder.container(keyedBy: Key.self) {
            all = try object.decode([Lenient<Exception>].self, forKey: .values)
        } else {
            all = try decoder.singleValueContainer().decode([Lenient<Exception>].self)
        }
        values = all.compactMap(\.value)
    }
}
