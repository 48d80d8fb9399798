internal import FoundationEssentials

/// A JSON value: events are written as one, replies are read as one. Our own code, as all of this module.
enum JSONTree: Codable, Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case real(Double)
    case string(String)
    case array([JSONTree])
    case object([String: JSONTree])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        // Each fails where the value is of another kind.
        if value.decodeNil() {
            self = .null
        } else if let text = try? value.decode(String.self) {
            self = .string(text)
        } else if let flag = try? value.decode(Bool.self) {
            self = .bool(flag)
        } else if let number = try? value.decode(Int64.self) {
            self = .integer(number)
        } else if let number = try? value.decode(Double.self) {
            self = .real(number)
        } else if let fields = try? value.decode([String: JSONTree].self) {
            self = .object(fields)
        } else {
            self = .array(try value.decode([JSONTree].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let flag): try value.encode(flag)
        case .integer(let number): try value.encode(number)
        case .real(let number): try value.encode(number)
        case .string(let text): try value.encode(text)
        case .array(let elements): try value.encode(elements)
        case .object(let fields): try value.encode(fields)
        }
    }

    /// Nil for what is no JSON.
    init?(_ bytes: [UInt8]) {
        guard let tree = try? JSONDecoder().decode(JSONTree.self, from: Data(bytes)) else { return nil }
        self = tree
    }

    /// As JSON, the keys of objects in order.
    ///
    /// - Throws: `EncodingError`, for a number that JSON does not have.
    func bytes() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self))
    }

    /// An object of texts.
    static func texts(_ fields: [String: String]) -> JSONTree { .object(fields.mapValues { .string($0) }) }

    /// An object of lists of texts.
    static func lists(_ fields: [String: [String]]) -> JSONTree {
        .object(fields.mapValues { .array($0.map { .string($0) }) })
    }
}

extension JSONTree: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByDictionaryLiteral {
    init(stringLiteral text: String) { self = .string(text) }
    init(booleanLiteral flag: Bool) { self = .bool(flag) }
    init(dictionaryLiteral fields: (String, JSONTree)...) {
        self = .object(Dictionary(fields) { _, last in last })
    }
}
