internal import HTTPTypes
@_spi(JSON) internal import SluiceCore

/// The fields of an HTTP event that is not of payload format 2.0: REST APIs and payload 1.0, load balancers, VPC Lattice.
///
/// One reader for all: they share most names, and the kind is known when all of the text has been read. Tolerant as ``HTTPEvent`` is.
struct GatewayEvent {
    /// A name with its values, in the order of the event.
    struct Entry {
        let name: String
        var values: [String]
    }

    private(set) var path: String?
    /// Nil where it is missing or no HTTP token.
    private(set) var method: HTTPRequest.Method?
    private(set) var domainName: String?
    private(set) var sourceIP: String?
    private(set) var stage: String?
    /// Decoded; nil where it is not the base64 that it claims to be.
    private(set) var body: [UInt8]? = []
    private var single: [Entry] = []
    private var multi: [Entry] = []
    private var singleQuery: [Entry] = []
    private var multiQuery: [Entry] = []

    private var marks: Set<Mark> = []
    private var version: String?
    private var isBase64 = false
    private var field = Field()

    /// What tells one kind from another.
    private enum Mark {
        case httpMethod, method, rawPath, context, http, elb, service, connection, authorizer, multiHeaders
    }

    /// Where the reader is, for an error's words.
    private struct Field {
        var name: String?
        var inner: String?
        var words: String { [name, inner].compactMap { $0 }.joined(separator: ".") }
    }

    /// The form of the event; nil where it is none of these.
    private var form: EventForm? {
        // Authorizers of API Gateway are asked with a request of much the same look.
        guard marks.isDisjoint(with: [.connection, .authorizer, .http]) else { return nil }
        if marks.contains(.elb) { return marks.contains(.multiHeaders) ? .loadBalancerMulti : .loadBalancer }
        if marks.contains(.service) { return .lattice2 }
        if marks.contains(.rawPath), marks.contains(.method) { return .lattice1 }
        guard marks.contains(.httpMethod), marks.contains(.context) else { return nil }
        return version == "1.0" ? .httpAPI1 : .restAPI
    }

    /// - Returns: Nil where the event is none of these kinds.
    /// - Throws: ``EventError`` that names the field and the byte.
    static func read(_ bytes: [UInt8]) throws(EventError) -> (event: GatewayEvent, form: EventForm)? {
        var event = GatewayEvent()
        let problem = event.take(bytes)
        guard let form = event.form else { return nil }
        if let problem { throw EventError(description: problem, form: form) }
        return (event, form)
    }

    /// - Returns: What is wrong with the text; what was read until then is kept.
    private mutating func take(_ bytes: [UInt8]) -> String? {
        JSONReader.read(bytes) { reader in
            var content = EventBody()
            do throws(JSONError) {
                try reader.object { (reader, key) throws(JSONError) in
                    field = Field(name: key.string)
                    if key == "body" {
                        try content.read(&reader)
                    } else {
                        try read(key, &reader)
                    }
                }
                field = Field()
                try reader.end()
            } catch {
                // The rest tells which kind it is, if the text is one at all.
                markRest(of: bytes)
                let words = field.words
                return words.isEmpty ? "\(error)" : "the field '\(words)': \(error)"
            }
            body = content.bytes(isBase64: isBase64)
            return nil
        }
    }

    private mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        if try reader.null() { return }
        switch key {
        case "version": version = try reader.string()
        case "path": path = try reader.string()
        case "raw_path":
            marks.insert(.rawPath)
            path = try reader.string()
        case "httpMethod":
            marks.insert(.httpMethod)
            method = EventNames.method(try reader.text())
        case "method":
            marks.insert(.method)
            method = EventNames.method(try reader.text())
        case "isBase64Encoded", "is_base64_encoded": isBase64 = try reader.bool()
        case "headers": single = try entries(&reader)
        case "multiValueHeaders":
            marks.insert(.multiHeaders)
            multi = try entries(&reader)
        case "queryStringParameters", "query_string_parameters": singleQuery = try entries(&reader)
        case "multiValueQueryStringParameters": multiQuery = try entries(&reader)
        case "methodArn", "routeArn":
            marks.insert(.authorizer)
            try reader.skip()
        case "requestContext": try readContext(&reader)
        default: try reader.skip()
        }
    }

    private mutating func readContext(_ reader: inout JSONReader) throws(JSONError) {
        marks.insert(.context)
        try reader.object { (reader, key) throws(JSONError) in
            field.inner = key.string
            mark(context: key)
            if try reader.null() { return }
            switch key {
            case "domainName": domainName = try reader.string()
            case "stage": stage = try reader.string()
            case "identity":
                try reader.object { (reader, key) throws(JSONError) in
                    guard key == "sourceIp" else { return try reader.skip() }
                    sourceIP = try reader.null() ? nil : try reader.string()
                }
            default: try reader.skip()
            }
        }
        field.inner = nil
    }

    private mutating func mark(context key: JSONText) {
        switch key {
        case "elb": marks.insert(.elb)
        case "serviceArn", "serviceNetworkArn": marks.insert(.service)
        case "connectionId": marks.insert(.connection)
        case "http": marks.insert(.http)
        default: break
        }
    }

    /// Only the marks, of a text that has an error somewhere.
    private mutating func markRest(of bytes: [UInt8]) {
        // Whatever cannot be read ends the search; what was found until then counts.
        try? JSONReader.read(bytes) { (reader) throws(JSONError) in
            try reader.object { (reader, key) throws(JSONError) in
                switch key {
                case "httpMethod": marks.insert(.httpMethod)
                case "method": marks.insert(.method)
                case "raw_path": marks.insert(.rawPath)
                case "multiValueHeaders": if try reader.peek() != .null { marks.insert(.multiHeaders) }
                case "methodArn", "routeArn": marks.insert(.authorizer)
                case "version" where try reader.peek() == .string:
                    version = try reader.string()
                    return
                case "requestContext":
                    guard try reader.peek() == .object else { break }
                    marks.insert(.context)
                    return try reader.object { (reader, key) throws(JSONError) in
                        mark(context: key)
                        try reader.skip()
                    }
                default: break
                }
                try reader.skip()
            }
        }
    }

    /// Far more than any front end lets through; swift-http-types itself stops the process at 65,535.
    private static let entryLimit = 10_000

    /// An object of strings, or of arrays of them. Nulls are as if they were not there.
    private mutating func entries(_ reader: inout JSONReader) throws(JSONError) -> [Entry] {
        var entries: [Entry] = []
        var count = 0
        try reader.object { (reader, name) throws(JSONError) in
            field.inner = name.string
            if try reader.null() { return }
            var entry = Entry(name: name.string, values: [])
            if try reader.peek() == .array {
                try reader.array { (reader) throws(JSONError) in
                    if try !reader.null() { entry.values.append(try reader.string()) }
                }
            } else {
                entry.values.append(try reader.string())
            }
            count += max(1, entry.values.count)
            guard count <= Self.entryLimit else { throw reader.fail("more than \(Self.entryLimit) values") }
            entries.append(entry)
        }
        field.inner = nil
        return entries
    }

    /// The headers: of those that both maps have, all values.
    var headers: [Entry] { Self.merged(multi, single) { Array($0.asciiLowercased.utf8) } }

    /// The parameters of the query: of those that both maps have, all values.
    var query: [Entry] { Self.merged(multiQuery, singleQuery) { Array($0.utf8) } }

    /// `first`, and what `second` alone has.
    private static func merged(_ first: [Entry], _ second: [Entry], _ key: (String) -> [UInt8]) -> [Entry] {
        let first = first.filter { !$0.values.isEmpty }
        if first.isEmpty { return second }
        let known = Set(first.map { key($0.name) })
        return first + second.filter { !known.contains(key($0.name)) }
    }
}
