@_spi(JSON) internal import SluiceCore

/// DynamoDB's way to write an item, `{"total":{"N":"7"}}`, as ordinary JSON, `{"total":7}`.
struct AttributeValue {
    /// - Parameter item: An object of attribute values.
    /// - Throws: `DecodingError` that says at which byte of it.
    static func json(_ item: [UInt8]) throws -> [UInt8] {
        var value = AttributeValue()
        do throws(JSONError) {
            try JSONReader.read(item) { (reader) throws(JSONError) in try value.map(&reader, depth: 0) }
        } catch {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "the item: \(error)"))
        }
        return value.json
    }

    private var json: [UInt8] = []
    /// Twice what DynamoDB itself allows.
    private static let depthLimit = 64

    /// An object whose values are attribute values.
    private mutating func map(_ reader: inout JSONReader, depth: Int) throws(JSONError) {
        guard depth <= Self.depthLimit else { throw reader.fail("nested deeper than \(Self.depthLimit) levels") }
        json.append(0x7B)
        var isFirst = true
        try reader.object { (reader, name) throws(JSONError) in
            separate(&isFirst)
            write(name)
            json.append(0x3A)
            try value(&reader, depth: depth)
        }
        json.append(0x7D)
    }

    /// `{"S":"text"}` and the like: one name, which says what its value is.
    private mutating func value(_ reader: inout JSONReader, depth: Int) throws(JSONError) {
        var isWritten = false
        try reader.object { (reader, type) throws(JSONError) in
            guard !isWritten else { return try reader.skip() }
            isWritten = true
            switch type {
            case "S", "B": write(try reader.text())
            case "N": try number(&reader)
            case "BOOL": json.append(contentsOf: (try reader.bool() ? "true" : "false").utf8)
            case "NULL":
                try reader.skip()
                json.append(contentsOf: "null".utf8)
            case "SS", "BS": try list(&reader) { (value, reader) throws(JSONError) in value.write(try reader.text()) }
            case "NS": try list(&reader) { (value, reader) throws(JSONError) in try value.number(&reader) }
            case "L":
                guard depth < Self.depthLimit else { throw reader.fail("nested deeper than \(Self.depthLimit) levels") }
                try list(&reader) { (value, reader) throws(JSONError) in try value.value(&reader, depth: depth + 1) }
            case "M": try map(&reader, depth: depth + 1)
            default: throw reader.fail("an attribute value of an unknown type")
            }
        }
        guard isWritten else { throw reader.fail("an attribute value without a type") }
    }

    private mutating func list(
        _ reader: inout JSONReader, _ element: (inout AttributeValue, inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        json.append(0x5B)
        var isFirst = true
        try reader.array { (reader) throws(JSONError) in
            separate(&isFirst)
            try element(&self, &reader)
        }
        json.append(0x5D)
    }

    /// A number, which DynamoDB writes as text.
    private mutating func number(_ reader: inout JSONReader) throws(JSONError) {
        let text = Array(try reader.text().bytes)
        try JSONReader.read(text) { (inner) throws(JSONError) in
            _ = try inner.number()
            try inner.end()
        }
        json += text
    }

    private mutating func write(_ text: JSONText) {
        var writer = JSONWriter(reserving: text.bytes.count + 2)
        writer.string(text.bytes)
        json += writer.bytes
    }

    private mutating func separate(_ isFirst: inout Bool) {
        if !isFirst { json.append(0x2C) }
        isFirst = false
    }
}
