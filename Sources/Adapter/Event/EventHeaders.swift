internal import HTTPTypes
internal import SluiceMiddleware
internal import Synchronization
@_spi(JSON) internal import SluiceCore

/// The headers of an event, made when the first of them is asked for: nearly half the cost of a small event.
final class EventHeaders: LazyHeaders {
    private let event: [UInt8]
    private let offset: Int?
    private let cookies: [String]
    /// The length of the decoded body, where the client declared one: what it declared may be wrong.
    private let contentLength: Int?
    private let made = Mutex<HTTPFields?>(nil)

    init(_ event: [UInt8], at offset: Int?, cookies: [String], contentLength: Int?) {
        self.event = event
        self.offset = offset
        self.cookies = cookies
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
