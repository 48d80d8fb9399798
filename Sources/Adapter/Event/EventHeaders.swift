internal import HTTPTypes
internal import SluiceMiddleware
internal import Synchronization
@_spi(JSON) internal import SluiceCore

/// The headers of an event, made when the first of them is asked for: nearly half the cost of a small event.
final class EventHeaders: LazyHeaders {
    private let event: [UInt8]
    private let offset: Int?
    private let cookiesOffset: Int?
    /// The length of the decoded body, where the client declared one: what it declared may be wrong.
    private let contentLength: Int?
    private let places: [Place]
    /// A bit for each of their keys, and all of them where a name has escapes: most headers that are asked for are not there.
    private let keys: UInt64
    private let made = Mutex<HTTPFields?>(nil)

    /// Where a header stands in the event.
    struct Place {
        /// Of the name's first byte, and of the value's; negative where it has escapes, and so is not there word for word.
        let name: Int32
        let value: Int32
        let valueCount: Int32
        let key: Key

        /// No event comes near the limit: the Runtime API delivers six megabytes. What lies behind it is as if it had escapes.
        @inline(__always)
        init(name: Int?, _ text: UnsafeBufferPointer<UInt8>, value: Int?, valueCount: Int) {
            self.name = name.flatMap { Int32(exactly: $0) } ?? -1
            self.value = value.flatMap { Int32(exactly: $0) } ?? -1
            self.valueCount = Int32(clamping: valueCount)
            key = Key(text)
        }
    }

    /// Length, first and last byte of a name: most differ in one of these.
    struct Key: Equatable {
        private let value: UInt32
        /// One of 64, by all of it.
        var bit: UInt64 { 1 << UInt64((value ^ value >> 6 ^ value >> 14) & 63) }

        @inline(__always)
        init(_ name: UnsafeBufferPointer<UInt8>) {
            guard let first = name.first, let last = name.last else {
                value = 0
                return
            }
            // In whatever case.
            value = UInt32(truncatingIfNeeded: name.count) << 16 | UInt32(first | 0x20) << 8 | UInt32(last | 0x20)
        }
    }

    init(_ event: [UInt8], at offset: Int?, places: [Place], cookiesAt cookiesOffset: Int?, contentLength: Int?) {
        self.event = event
        self.offset = offset
        self.places = places
        keys = places.reduce(0) { $0 | ($1.name < 0 ? .max : $1.key.bit) }
        self.cookiesOffset = cookiesOffset
        self.contentLength = contentLength
    }

    var fields: HTTPFields {
        made.withLock { made in
            if let made { return made }
            let fields = make()
            made = fields
            return fields
        }
    }

    func value(of name: HTTPField.Name) -> String? {
        var wanted = name.canonicalName
        let length = wanted.utf8.count
        // These are not as the event has them.
        if length == 6 && name == .cookie || length == 14 && name == .contentLength { return fields[name] }
        let found = wanted.withUTF8 { wanted -> Found in
            let key = Key(wanted)
            guard keys & key.bit != 0 else { return .value(nil) }
            var values: [String] = []
            for place in places {
                if place.name < 0 { return .elsewhere }
                guard place.key == key, let text = text(of: place, ifNamed: wanted) else { continue }
                // Made legal, as in the place among all.
                values.append(HTTPField(name: name, value: text).value)
            }
            return .value(values.count > 1 ? values.joined(separator: ", ") : values.first)
        }
        switch found {
        case .value(let value): return value
        case .elsewhere: return fields[name]
        }
    }

    private enum Found {
        case value(String?)
        /// A name has escapes: it may be the one that is wanted.
        case elsewhere
    }

    /// The value at a place; nil where its name is another one than this, which is in lower case.
    private func text(of place: Place, ifNamed wanted: UnsafeBufferPointer<UInt8>) -> String? {
        let (start, end) = (Int(place.name), Int(place.name) + wanted.count)
        for (octet, letter) in zip(event[start..<end], wanted) where Octets.lower(octet) != letter { return nil }
        if place.value < 0 { return escapedValue(behind: end) }
        return String(decoding: event[Int(place.value)..<Int(place.value + place.valueCount)], as: UTF8.self)
    }

    private func escapedValue(behind name: Int) -> String {
        guard let colon = event[name...].firstIndex(of: 0x3A) else { return "" }
        // Checked when the event came.
        let text = try? JSONReader.read(event, from: colon + 1) { (reader) throws(JSONError) in try reader.string() }
        return text ?? ""
    }

    private func make() -> HTTPFields {
        var fields = HTTPFields()
        if let offset {
            // Checked when the event came.
            try? JSONReader.read(event, from: offset) { (reader) throws(JSONError) in
                try reader.object { (reader, name) throws(JSONError) in
                    if try reader.null() { return }
                    let value = try reader.text()
                    guard !EventNames.isForged(name), let name = EventNames.header(name) else { return }
                    // Function URLs deliver cookies twice; the array is the one that HTTP APIs have too.
                    if name == .cookie, cookiesOffset != nil { return }
                    fields.append(HTTPField(name: name, value: value.string))
                }
            }
        }
        if let contentLength { fields[.contentLength] = String(contentLength) }
        // Appended, not set: setting would split it into one field for each cookie, as HTTP/2 does.
        if let cookiesOffset {
            fields.append(HTTPField(name: .cookie, value: cookies(at: cookiesOffset).joined(separator: "; ")))
        }
        return fields
    }

    private func cookies(at place: Int) -> [String] {
        var cookies: [String] = []
        // Checked when the event came.
        try? JSONReader.read(event, from: place) { (reader) throws(JSONError) in
            try reader.array { (reader) throws(JSONError) in cookies.append(try reader.string()) }
        }
        return cookies
    }
}
