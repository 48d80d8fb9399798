internal import HTTPTypes
@_spi(JSON) internal import SluiceCore

/// The fields of a payload 2.0 event (Function URLs and HTTP APIs) that make a request. All others: ``GatewayEvent``.
///
/// Taken in one pass; what makes no request never becomes a value. Tolerant: unknown fields are skipped, and every field but
/// method and path may be null or absent.
struct HTTPEvent {
    private(set) var rawPath: String?
    private(set) var rawQuery = ""
    /// Of the API; nil too where a header says which host was asked.
    private(set) var domainName: String?
    private(set) var sourceIP: String?
    /// Nil where it is missing or no HTTP token.
    private(set) var method: HTTPRequest.Method?
    /// Where the object with the headers begins in the text; nil without one.
    private(set) var headersOffset: Int?
    private(set) var headerPlaces: [EventHeaders.Place] = []
    /// Where the array with the cookies begins in the text; nil where there are none.
    private(set) var cookiesOffset: Int?
    private(set) var declaresLength = false
    private(set) var host: String?
    private(set) var forwardedProto: String?
    /// Decoded; nil where it is not the base64 that it claims to be.
    private(set) var body: [UInt8]? = []
    /// Why the headers cannot be used; nil when they can.
    private(set) var headerProblem: String?

    private var domain: JSONText?
    private var hasDomain = false
    private var hasMethod = false
    private var hasHTTP = false
    private var isOtherVersion = false
    private var isBase64 = false
    private var headerCount = 0
    private var place = Place()

    /// Where the reader is, for an error's words.
    private struct Place {
        var field: JSONText?
        var inner: JSONText?
        var innermost: JSONText?
        var words: String {
            [field, inner, innermost].compactMap { $0?.string }.joined(separator: ".")
        }
    }

    /// An HTTP API decodes the path before it hands it on, a Function URL does not.
    private(set) var isFunctionURL = false

    /// No event says it but by its domain; without one it streams, as the settings say.
    var form: EventForm { isFunctionURL || !hasDomain ? .functionURL : .httpAPI }

    /// - Throws: ``EventError`` that names the field and the byte.
    init(_ bytes: [UInt8]) throws(EventError) {
        try JSONReader.read(bytes) { (reader) throws(EventError) in
            var content = EventBody()
            do throws(JSONError) {
                try reader.object { (reader, key) throws(JSONError) in
                    place = Place(field: key)
                    if key == "body" {
                        try content.read(&reader)
                    } else {
                        try read(key, &reader)
                    }
                }
                place = Place()
                try reader.end()
            } catch {
                let words = place.words
                throw EventError(
                    description: words.isEmpty ? "\(error)" : "the field '\(words)': \(error)",
                    form: Self.form(ofBroken: bytes))
            }
            if host == nil { domainName = domain?.string }
            (hasDomain, domain) = (domain != nil, nil)
            try check()
            body = content.bytes(isBase64: isBase64)
        }
        place = Place()
    }

    // Mutating, as Swift lends a copy of all of it otherwise.
    private mutating func check() throws(EventError) {
        guard hasHTTP, !isOtherVersion else {
            throw EventError(
                description: "not an HTTP event: 'requestContext.http' is missing, or 'version' is another", form: nil)
        }
        guard hasMethod else {
            throw EventError(description: "the field 'requestContext.http.method' is missing", form: form)
        }
        guard rawPath != nil else { throw EventError(description: "the field 'rawPath' is missing", form: form) }
    }

    private mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        if try reader.null() { return }
        switch key {
        case "version": isOtherVersion = try !(reader.text() == "2.0")
        case "rawPath": rawPath = try reader.string()
        case "rawQueryString": rawQuery = try reader.string()
        case "isBase64Encoded": isBase64 = try reader.bool()
        case "cookies":
            let start = reader.offset
            cookiesOffset = nil
            try reader.array { (reader) throws(JSONError) in
                _ = try reader.textInPlace()
                cookiesOffset = start
            }
        case "headers":
            headersOffset = reader.offset
            (host, forwardedProto, headerProblem, headerCount, declaresLength) = (nil, nil, nil, 0, false)
            headerPlaces = []
            headerPlaces.reserveCapacity(24)
            try reader.object { (reader, name) throws(JSONError) in
                place.inner = name
                if try reader.null() { return }
                let value = try readValue(of: name, &reader)
                guard check(name) else { return }
                headerPlaces.append(
                    EventHeaders.Place(
                        name: reader.place(of: name), name.bytes, value: value.flatMap(reader.place),
                        valueCount: value?.bytes.count ?? 0))
            }
            place.inner = nil
        case "requestContext": try readContext(&reader)
        default: try reader.skip()
        }
    }

    private mutating func readContext(_ reader: inout JSONReader) throws(JSONError) {
        try reader.object { (reader, key) throws(JSONError) in
            (place.inner, place.innermost) = (key, nil)
            if try reader.null() { return }
            switch key {
            case "domainName":
                let text = try reader.text()
                (domain, isFunctionURL) = (text, text.contains(".lambda-url."))
            case "http":
                hasHTTP = true
                try reader.object { (reader, key) throws(JSONError) in
                    place.innermost = key
                    if try reader.null() { return }
                    switch key {
                    case "method":
                        let text = try reader.text()
                        (hasMethod, method) = (!text.isEmpty, EventNames.method(text))
                    case "sourceIp": sourceIP = try reader.string()
                    default: try reader.skip()
                    }
                }
            default: try reader.skip()
            }
        }
    }

    // MARK: Headers

    private static let headerLimit = 10_000

    /// Only looked at: most apps ask for few headers, or for none; see ``EventHeaders``.
    ///
    /// - Returns: Nil where it has escapes.
    private mutating func readValue(of name: JSONText, _ reader: inout JSONReader) throws(JSONError) -> JSONText? {
        switch name.bytes.count {
        case 4 where name.isName("host"):
            let value = try reader.text()
            host = host ?? value.string
            return value
        case 17 where name.isName("x-forwarded-proto"):
            let value = try reader.text()
            forwardedProto = forwardedProto ?? value.string
            return value
        default: return try reader.textInPlace()
        }
    }

    /// Counts a header, and notes what is wrong with its name.
    ///
    /// - Returns: False for one that the app must not see.
    private mutating func check(_ name: JSONText) -> Bool {
        headerCount += 1
        switch name.bytes.count {
        case 14: if name.isName("content-length") { declaresLength = true }
        // Not x-forwarded-for, which each event has.
        case 15 where name.bytes[5] == 0x2D, 21, 22: if EventNames.isForged(name) { return false }
        // Nor x-amzn-tls-cipher-suite.
        case 23 where name.bytes[7] | 0x20 == 0x6C: if EventNames.isForged(name) { return false }
        default: break
        }
        guard headerProblem == nil else { return true }
        // Far more than any front end lets through; swift-http-types itself stops the process at 65,535.
        if headerCount > Self.headerLimit {
            headerProblem = "the field 'headers' has more than \(Self.headerLimit) names"
        } else if !EventNames.isToken(name) {
            let shown = String(name.string.unicodeScalars.prefix(100)).debugDescription
            headerProblem = "the field 'headers' has the name \(shown), which is not an HTTP token"
        }
        return true
    }

    /// The form of a text, as far as it can be read; nil where it has no `requestContext.http`: decides who hears of an error in it.
    private static func form(ofBroken bytes: [UInt8]) -> EventForm? {
        var (hasHTTP, form) = (false, EventForm.functionURL)
        // Whatever cannot be read ends the search; what was found until then counts.
        try? JSONReader.read(bytes) { (reader) throws(JSONError) in
            try reader.object { (reader, key) throws(JSONError) in
                guard key == "requestContext", try reader.peek() == .object else { return try reader.skip() }
                try reader.object { (reader, key) throws(JSONError) in
                    if key == "http" { hasHTTP = true }
                    guard key == "domainName", try reader.peek() == .string else { return try reader.skip() }
                    form = try reader.text().contains(".lambda-url.") ? .functionURL : .httpAPI
                }
            }
        }
        return hasHTTP ? form : nil
    }
}
