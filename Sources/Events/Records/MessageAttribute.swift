@_spi(JSON) internal import SluiceCore

/// What a sender has put beside a message's body, in SQS and in SNS.
public struct MessageAttribute: Sendable, Hashable {
    /// `String`, `Number`, `Binary`, or one of these with a label of the sender's, as `Number.float`; `String.Array` in SNS.
    public let dataType: String
    /// Its text; nil where it is binary. Of an array its JSON.
    public let text: String?
    /// Its bytes; nil where it is text.
    public let bytes: [UInt8]?

    /// Nil where it is neither.
    init?(_ reader: inout JSONReader) throws(JSONError) {
        var (type, text, binary, value): (String?, String?, [UInt8]?, [UInt8]?)
        try reader.objectIfAny { (reader, key) throws(JSONError) in
            switch key {
            case "dataType", "Type": type = try reader.stringIfAny()
            case "stringValue": text = try reader.stringIfAny()
            case "binaryValue": binary = try reader.base64IfAny()
            case "Value": value = try reader.bytesIfAny()
            default: try reader.skip()
            }
        }
        // SNS has one field for both.
        if let value {
            if type?.begins(with: "Binary") == true {
                binary = value.withUnsafeBufferPointer { Base64.decode($0) }
            } else {
                text = String(decoding: value, as: UTF8.self)
            }
        }
        guard text != nil || binary != nil else { return nil }
        dataType = type ?? (text == nil ? "Binary" : "String")
        self.text = text
        bytes = text == nil ? binary : nil
    }

    /// All of an object, by their names.
    static func all(_ reader: inout JSONReader) throws(JSONError) -> [String: MessageAttribute] {
        var all: [String: MessageAttribute] = [:]
        try reader.objectIfAny { (reader, name) throws(JSONError) in
            guard let attribute = try MessageAttribute(&reader), name.isHarmless else { return }
            all[name.string] = attribute
        }
        return all
    }
}
