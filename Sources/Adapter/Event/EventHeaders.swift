internal import HTTPTypes
internal import SluiceMiddleware
internal import Synchronization
@_spi(JSON) internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The headers of an event, made when the first of them is asked for: nearly half the cost of a small event.
final class EventHeaders: LazyHeaders {
    private let event: [UInt8]
    private let offset: Int?
    private let cookies: [String]
    /// The length of the decoded body, where the client declared one: what it declared may be wrong.
    private let contentLength: Int?
    private let made = Mutex(Made())

    private struct Made {
        var fields: HTTPFields?
        /// Where names and values stand in the event; nil before somebody has looked, and empty where some are not there word for word.
        var places: [Place]?
    }

    private struct Place {
        let name: Range<Int>
        /// Nil where it has escapes: then it is read again behind its name.
        let value: Range<Int>?
    }

    init(_ event: [UInt8], at offset: Int?, cookies: [String], contentLength: Int?) {
        self.event = event
        self.offset = offset
        self.cookies = cookies
        self.contentLength = contentLength
    }

    var fields: HTTPFields {
        made.withLock { made in
            if let fields = made.fields { return fields }
            let fields = make()
            made.fields = fields
            return fields
        }
    }

    func value(of name: HTTPField.Name) -> String? {
        // These are not as the event has them.
        if name == .cookie || name == .contentLength { return fields[name] }
        let found = made.withLock { made -> Found in
            if let fields = made.fields { return .value(fields[name]) }
            let places = made.places ?? self.places()
            made.places = places
            return find(name, places)
        }
        switch found {
        case .value(let value): return value
        case .elsewhere: return fields[name]
        }
    }

    private enum Found {
        case value(String?)
        case elsewhere
    }

    private func find(_ name: HTTPField.Name, _ places: [Place]) -> Found {
        guard !places.isEmpty else { return offset == nil ? .value(nil) : .elsewhere }
        var wanted = name.canonicalName
        return wanted.withUTF8 { wanted in
            event.withUnsafeBufferPointer { event in
                var value: String?
                for place in places where place.name.count == wanted.count {
                    guard zip(event[place.name], wanted).allSatisfy({ Octets.lower($0) == $1 }) else { continue }
                    let text =
                        place.value.map { String(decoding: event[$0], as: UTF8.self) } ?? escapedValue(behind: place.name)
                    // Made legal, as in the place among all.
                    let next = HTTPField(name: name, value: text).value
                    value = value.map { "\($0), \(next)" } ?? next
                }
                return .value(value)
            }
        }
    }

    private func escapedValue(behind name: Range<Int>) -> String {
        guard let colon = event[name.upperBound...].firstIndex(of: 0x3A) else { return "" }
        // Checked when the event came.
        let text = try? JSONReader.read(event, from: colon + 1) { (reader) throws(JSONError) in try reader.string() }
        return text ?? ""
    }

    /// Where everything stands. Empty where a name has escapes, and so is not there word for word.
    ///
    /// The event was checked when it came: all that is asked here is where each string ends.
    private func places() -> [Place] {
        guard let offset else { return [] }
        var places: [Place] = []
        places.reserveCapacity(24)
        return event.withUnsafeBytes { bytes in
            /// Where the string that begins here ends, and whether it has escapes.
            func end(of start: Int) -> (Int, Bool)? {
                var (place, isEscaped) = (start, false)
                while let base = bytes.baseAddress, let quote = memchr(base + place, 0x22, bytes.count - place) {
                    let end = UnsafeRawPointer(quote) - base
                    var backslashes = 0
                    while end - backslashes > start, bytes[end - backslashes - 1] == 0x5C { backslashes += 1 }
                    isEscaped = isEscaped || memchr(base + place, 0x5C, end - place) != nil
                    if backslashes % 2 == 0 { return (end, isEscaped) }
                    place = end + 1
                }
                return nil
            }
            var place = offset
            while place < bytes.count, bytes[place] != 0x7D {
                guard bytes[place] == 0x22 else {
                    place += 1
                    continue
                }
                guard let (nameEnd, isEscapedName) = end(of: place + 1), !isEscapedName else { return [] }
                let name = place + 1..<nameEnd
                place = nameEnd + 1
                while place < bytes.count, bytes[place] != 0x22, bytes[place] != 0x6E { place += 1 }
                // A null stands for no header.
                guard place < bytes.count, bytes[place] == 0x22 else {
                    place += 4
                    continue
                }
                guard let (valueEnd, isEscaped) = end(of: place + 1) else { return [] }
                places.append(Place(name: name, value: isEscaped ? nil : place + 1..<valueEnd))
                place = valueEnd + 1
            }
            return places
        }
    }

    private func make() -> HTTPFields {
        var fields = HTTPFields()
        if let offset {
            // Checked when the event came.
            try? JSONReader.read(event, from: offset) { (reader) throws(JSONError) in
                try reader.object { (reader, name) throws(JSONError) in
                    if try reader.null() { return }
                    let value = try reader.text()
                    guard let name = EventNames.header(name) else { return }
                    // Function URLs deliver cookies twice; the array is the one that HTTP APIs have too.
                    if name == .cookie, !cookies.isEmpty { return }
                    fields.append(HTTPField(name: name, value: value.string))
                }
            }
        }
        if let contentLength { fields[.contentLength] = String(contentLength) }
        // Appended, not set: setting would split it into one field for each cookie, as HTTP/2 does.
        if !cookies.isEmpty { fields.append(HTTPField(name: .cookie, value: cookies.joined(separator: "; "))) }
        return fields
    }
}
