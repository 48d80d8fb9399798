internal import FoundationEssentials

/// Reads a JSON body, to be filtered name by name.
enum JSONParser {
    /// - Throws: `DecodingError` where the bytes are no JSON.
    static func parse(_ bytes: [UInt8]) throws -> ReportValue { try JSONDecoder().decode(Node.self, from: Data(bytes)).value }

    private struct Node: Decodable {
        let value: ReportValue

        init(from decoder: any Decoder) throws {
            if let object = try? decoder.container(keyedBy: Key.self) {
                var values: [String: ReportValue] = [:]
                for key in object.allKeys { values[key.stringValue] = try object.decode(Node.self, forKey: key).value }
                value = .object(values)
            } else if var list = try? decoder.unkeyedContainer() {
                var values: [ReportValue] = []
                while !list.isAtEnd { values.append(try list.decode(Node.self).value) }
                value = .array(values)
            } else {
                let single = try decoder.singleValueContainer()
                if single.decodeNil() {
                    value = .null
                } else if let flag = try? single.decode(Bool.self) {
                    value = .bool(flag)
                } else if let number = try? single.decode(Int.self) {
                    value = .integer(number)
                } else if let number = try? single.decode(Double.self) {
                    value = .double(number)
                } else {
                    value = .string(try single.decode(String.self))
                }
            }
        }
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
