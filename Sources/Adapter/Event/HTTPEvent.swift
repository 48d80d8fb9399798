/// The fields of a payload 2.0 event (Function URLs and HTTP APIs) that make a request.
///
/// Tolerant: unknown fields are skipped, and every field but method and path may be null or absent.
struct HTTPEvent {
    var method = ""
    var rawPath: String?
    var rawQuery = ""
    var cookies: [String] = []
    var headers: [(name: String, value: String)] = []
    var body: ArraySlice<UInt8> = []
    var isBase64 = false
    var domainName: String?
    var sourceIP: String?
    private var version: String?
    private var hasHTTP = false

    /// An HTTP API decodes the path before it hands it on, a Function URL does not.
    var isFunctionURL: Bool { domainName?.contains(".lambda-url.") ?? false }

    /// - Throws: ``EventError`` that names the field and the byte.
    init(_ bytes: [UInt8]) throws(EventError) {
        var reader = JSONReader(bytes)
        var place = ""
        do throws(JSONError) {
            try reader.object { (reader, key) throws(JSONError) in
                place = key
                try read(key, &reader, &place)
            }
            place = ""
            try reader.end()
        } catch {
            let where_ = place.isEmpty ? "" : "the field '\(place)': "
            throw EventError(description: "\(where_)\(error)", isHTTP: Self.looksLikeHTTP(bytes))
        }
        guard hasHTTP, version == nil || version == "2.0" else {
            throw EventError(
                description:
                    "not an HTTP event of payload version 2.0: 'requestContext.http' is missing, or 'version' is another",
                isHTTP: false)
        }
        guard !method.isEmpty else {
            throw EventError(description: "the field 'requestContext.http.method' is missing", isHTTP: true)
        }
        guard rawPath != nil else { throw EventError(description: "the field 'rawPath' is missing", isHTTP: true) }
    }

    private mutating func read(_ key: String, _ reader: inout JSONReader, _ place: inout String) throws(JSONError) {
        if try reader.null() { return }
        switch key {
        case "version": version = try reader.string()
        case "rawPath": rawPath = try reader.string()
        case "rawQueryString": rawQuery = try reader.string()
        case "body": body = try reader.stringBytes()
        case "isBase64Encoded": isBase64 = try reader.bool()
        case "cookies":
            var found: [String] = []
            try reader.array { (reader) throws(JSONError) in found.append(try reader.string()) }
            cookies = found
        case "headers":
            var found: [(String, String)] = []
            var at = place
            do throws(JSONError) {
                try reader.object { (reader, name) throws(JSONError) in
                    at = "headers.\(name)"
                    if try !reader.null() { found.append((name, try reader.string())) }
                }
            } catch {
                place = at
                throw error
            }
            headers = found
        case "requestContext": try readContext(&reader, &place)
        default: try reader.skip()
        }
    }

    private mutating func readContext(_ reader: inout JSONReader, _ place: inout String) throws(JSONError) {
        var (context, at) = (self, place)
        defer { (self, place) = (context, at) }
        try reader.object { (reader, key) throws(JSONError) in
            at = "requestContext.\(key)"
            if try reader.null() { return }
            switch key {
            case "domainName": context.domainName = try reader.string()
            case "http":
                context.hasHTTP = true
                try reader.object { (reader, key) throws(JSONError) in
                    at = "requestContext.http.\(key)"
                    if try reader.null() { return }
                    switch key {
                    case "method": context.method = try reader.string()
                    case "sourceIp": context.sourceIP = try reader.string()
                    default: try reader.skip()
                    }
                }
            default: try reader.skip()
            }
        }
    }

    /// Whether the text, as far as it can be read, has `requestContext.http`: decides who hears of an error in it.
    private static func looksLikeHTTP(_ bytes: [UInt8]) -> Bool {
        var reader = JSONReader(bytes)
        var found = false
        // Whatever cannot be read ends the search; what was found until then counts.
        try? reader.object { (reader, key) throws(JSONError) in
            guard key == "requestContext", try reader.peek() == .object else { return try reader.skip() }
            try reader.object { (reader, key) throws(JSONError) in
                if key == "http" { found = true }
                try reader.skip()
            }
        }
        return found
    }
}
