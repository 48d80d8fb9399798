internal import FoundationEssentials

/// A piece of JSON, of any kind, as bytes: what a session keeps under a key.
enum JSONFragment {
    /// A text as JSON: nothing about it can fail.
    static func quoted(_ text: String) -> [UInt8] {
        var octets: [UInt8] = [0x22]
        for octet in text.utf8 {
            switch octet {
            case 0x22, 0x5C: octets += [0x5C, octet]
            case 0..<0x20: octets += Array("\\u00".utf8) + [hexadecimal(octet >> 4), hexadecimal(octet & 15)]
            default: octets.append(octet)
            }
        }
        return octets + [0x22]
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : 0x57 + digit }

    /// The text that a fragment is; nil where it is something else.
    static func text(_ fragment: [UInt8]) -> String? {
        guard fragment.count >= 2, fragment.first == 0x22, fragment.last == 0x22 else { return nil }
        let inner = fragment.dropFirst().dropLast()
        // Nothing is escaped in most texts.
        if !inner.contains(where: { $0 == 0x5C || $0 == 0x22 }) { return String(validating: inner, as: UTF8.self) }
        // Why it is no text is of no interest: it is one or it is not.
        return try? value(of: fragment, as: String.self)
    }

    /// A value as JSON, its keys sorted: equal values have equal bytes, and are no change.
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try [UInt8](encoder.encode(value))
    }

    static func value<Value: Decodable>(of fragment: [UInt8], as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(fragment))
    }

    /// The members of an object that has no white space between its parts; nil where it is no such object.
    ///
    /// What the values mean is not looked at: that is for whoever asks for one.
    static func members(of object: [UInt8]) -> [(name: [UInt8], value: [UInt8])]? {
        guard object.count >= 2, object.first == 0x7B, object.last == 0x7D else { return nil }
        var members: [(name: [UInt8], value: [UInt8])] = []
        var rest = object.dropFirst().dropLast()
        guard !rest.isEmpty else { return members }
        while true {
            guard let name = part(of: rest, before: 0x3A), name.first == 0x22,
                let value = part(of: rest.dropFirst(name.count + 1), before: 0x2C), !value.isEmpty
            else { return nil }
            members.append((Array(name), Array(value)))
            rest = rest.dropFirst(name.count + 1 + value.count)
            guard !rest.isEmpty else { return members }
            rest = rest.dropFirst()
        }
    }

    /// What stands before the first separator that belongs to neither a text nor something nested, or all of it; nil where one of these
    /// has no end.
    private static func part(of octets: ArraySlice<UInt8>, before separator: UInt8) -> ArraySlice<UInt8>? {
        var (depth, isText, isEscaped) = (0, false, false)
        for index in octets.indices {
            let octet = octets[index]
            if isText {
                (isText, isEscaped) = (isEscaped || octet != 0x22, !isEscaped && octet == 0x5C)
                continue
            }
            switch octet {
            case separator where depth == 0: return octets[..<index]
            case 0x22: isText = true
            case 0x7B, 0x5B: depth += 1
            case 0x7D, 0x5D: depth -= 1
            default: break
            }
        }
        return isText || depth != 0 ? nil : octets
    }
}
