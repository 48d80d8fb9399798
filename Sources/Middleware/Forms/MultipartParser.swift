internal import HTTPTypes
internal import SluiceCore

/// Takes a `multipart/form-data` body apart, in one pass over its octets.
struct MultipartParser {
    private let octets: [UInt8]
    /// `--` and the boundary.
    private let delimiter: [UInt8]
    private var place = 0

    init(_ octets: [UInt8], boundary: [UInt8]) {
        self.octets = octets
        delimiter = [0x2D, 0x2D] + boundary
    }

    static func malformed(_ reason: String) -> HTTPError {
        HTTPError(.badRequest, "the multipart body is malformed: \(reason)")
    }

    mutating func parts() throws -> [Multipart.Part] {
        guard var end = delimiterEnd(from: 0, atStart: true) else { throw Self.malformed("its boundary does not occur") }
        var parts: [Multipart.Part] = []
        while !end.isLast {
            place = end.next
            guard parts.count < Multipart.partLimit else {
                throw Self.malformed("it has more than \(Multipart.partLimit) parts")
            }
            let headers = try headers()
            let start = place
            // An empty part may have its delimiter right behind the headers' empty line.
            guard let next = delimiterEnd(from: max(start - 2, 0), atStart: false) else {
                throw Self.malformed("it is cut off")
            }
            let content = start < next.start ? Array(octets[start..<next.start]) : []
            parts.append(try Self.part(headers, content))
            end = next
        }
        return parts
    }

    private struct Delimiter {
        /// Where the part before it ends: the line break that leads in is the delimiter's own.
        let start: Int
        let next: Int
        let isLast: Bool
    }

    /// The next line that is a delimiter.
    private func delimiterEnd(from start: Int, atStart: Bool) -> Delimiter? {
        var search = start
        while let found = Octets.place(of: delimiter, in: octets, from: search) {
            search = found + 1
            let isLineStart = found == 0 && atStart || (found >= 2 && octets[found - 2] == 0x0D && octets[found - 1] == 0x0A)
            guard isLineStart else { continue }
            var place = found + delimiter.count
            let isLast = octets[place...].starts(with: [0x2D, 0x2D])
            if isLast { return Delimiter(start: max(found - 2, 0), next: place + 2, isLast: true) }
            // Padding that a gateway may have added.
            while place < octets.count, octets[place] == 0x20 || octets[place] == 0x09 { place += 1 }
            guard octets[place...].starts(with: [0x0D, 0x0A]) else { continue }
            return Delimiter(start: max(found - 2, 0), next: place + 2, isLast: false)
        }
        return nil
    }

    private mutating func headers() throws -> HTTPFields {
        var fields = HTTPFields()
        var size = 0
        while true {
            guard let end = Octets.place(of: [0x0D, 0x0A], in: octets, from: place) else {
                throw Self.malformed("it is cut off")
            }
            let line = octets[place..<end]
            place = end + 2
            if line.isEmpty { return fields }
            size += line.count
            guard size <= Multipart.headerLimit else {
                throw Self.malformed("a part has more than \(Multipart.headerLimit) bytes of headers")
            }
            guard let colon = line.firstIndex(of: 0x3A),
                let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self))
            else { throw Self.malformed("a part has a line that is no header") }
            let value = String(decoding: line[(colon + 1)...], as: UTF8.self)
            fields.append(HTTPField(name: name, value: String(value.trimmed)))
        }
    }

    private static func part(_ headers: HTTPFields, _ bytes: [UInt8]) throws -> Multipart.Part {
        guard let disposition = headers[.contentDisposition],
            disposition.prefix(before: ";").trimmed.isSame(ignoringCase: "form-data")
        else { throw malformed("a part has no Content-Disposition: form-data") }
        let parameters = DispositionParameters(disposition)
        guard let name = parameters["name"] else { throw malformed("a part has no name") }
        return Multipart.Part(name: name, filename: parameters["filename"].map(lastComponent), headers: headers, bytes: bytes)
    }

    /// Some browsers have sent the whole path.
    private static func lastComponent(_ filename: String) -> String {
        let octets = filename.utf8
        guard let slash = octets.lastIndex(where: { $0 == 0x2F || $0 == 0x5C }) else { return filename }
        return String(Substring(octets[octets.index(after: slash)...]))
    }
}

/// The parameters of a part's `Content-Disposition`, as browsers write them: `"` is `%22`, line breaks are `%0D%0A`, and a backslash
/// is itself (WHATWG HTML, "multipart/form-data"); older clients write `\"`.
struct DispositionParameters {
    private var found: [(name: Substring, value: String)] = []

    init(_ text: String) {
        var rest = text.utf8.drop { $0 != 0x3B }
        while rest.first == 0x3B, found.count < 20 {
            rest = rest.dropFirst().drop { $0 == 0x20 || $0 == 0x09 }
            let name = rest.prefix { $0 != 0x3D && $0 != 0x3B }
            rest = rest[name.endIndex...]
            guard rest.first == 0x3D else { continue }
            rest = rest.dropFirst()
            var value: [UInt8] = []
            if rest.first == 0x22 {
                rest = rest.dropFirst()
                while let octet = rest.popFirst(), octet != 0x22 {
                    if octet == 0x5C, rest.first == 0x22 {
                        _ = rest.popFirst(); value.append(0x22)
                    } else {
                        value.append(octet)
                    }
                }
                rest = rest.drop { $0 != 0x3B }
            } else {
                let token = rest.prefix { $0 != 0x3B }
                value = Array(Substring(token).trimmed.utf8)
                rest = rest[token.endIndex...]
            }
            found.append((Substring(name).trimmed, Self.unescaped(value)))
        }
    }

    subscript(name: String) -> String? { found.first { $0.name.isSame(ignoringCase: name) }?.value }

    /// Only these three are escapes: any other `%` is the name's own.
    private static func unescaped(_ octets: [UInt8]) -> String {
        guard octets.contains(0x25) else { return String(decoding: octets, as: UTF8.self) }
        var plain: [UInt8] = []
        var rest = octets[...]
        while let octet = rest.popFirst() {
            guard octet == 0x25, rest.count >= 2 else {
                plain.append(octet)
                continue
            }
            switch (rest[rest.startIndex], Octets.lower(rest[rest.startIndex + 1])) {
            case (0x32, 0x32): plain.append(0x22)
            case (0x30, 0x61): plain.append(0x0A)
            case (0x30, 0x64): plain.append(0x0D)
            default:
                plain.append(octet)
                continue
            }
            rest = rest.dropFirst(2)
        }
        return String(decoding: plain, as: UTF8.self)
    }
}
