internal import FoundationEssentials
public import HTTPTypes
internal import SluiceCore
public import SluiceMiddleware
internal import SluiceStreaming

extension Request {
    /// A request with a value as JSON; dates are ISO 8601.
    ///
    /// - Throws: What the value's `encode(to:)` throws.
    public static func json(
        _ method: HTTPRequest.Method, _ target: String, _ value: some Encodable, headers: HTTPFields = [:]
    ) throws -> Request {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        var headers = headers
        headers[.contentType] = headers[.contentType] ?? "application/json"
        return Request(method, target, headers: headers, body: .bytes([UInt8](try encoder.encode(value))))
    }

    /// A request with the fields of a form, as a browser sends them.
    public static func form(
        _ method: HTTPRequest.Method, _ target: String, _ fields: KeyValuePairs<String, String>, headers: HTTPFields = [:]
    ) -> Request {
        let text = fields.map { "\(PercentEncoding.unreserved($0.key))=\(PercentEncoding.unreserved($0.value))" }
        var headers = headers
        headers[.contentType] = "application/x-www-form-urlencoded"
        return Request(method, target, headers: headers, body: .text(text.joined(separator: "&")))
    }

    /// A request with fields and files, as a browser sends them.
    public static func multipart(
        _ method: HTTPRequest.Method, _ target: String, _ parts: [TestPart], headers: HTTPFields = [:]
    ) -> Request {
        let boundary = "----SluiceTesting\(UInt64.random(in: .min ... .max))"
        var bytes: [UInt8] = []
        for part in parts {
            bytes += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(part.name)\"".utf8)
            if let filename = part.filename { bytes += Array("; filename=\"\(filename)\"".utf8) }
            if let type = part.contentType { bytes += Array("\r\nContent-Type: \(type)".utf8) }
            bytes += [13, 10, 13, 10] + part.bytes + [13, 10]
        }
        bytes += Array("--\(boundary)--\r\n".utf8)
        var headers = headers
        headers[.contentType] = "multipart/form-data; boundary=\(boundary)"
        return Request(method, target, headers: headers, body: .bytes(bytes))
    }
}

/// A field or a file of a request that a test makes.
public struct TestPart: Sendable {
    let name: String
    let filename: String?
    let contentType: String?
    let bytes: [UInt8]

    /// A plain field.
    public static func field(_ name: String, _ value: String) -> TestPart {
        TestPart(name: name, filename: nil, contentType: nil, bytes: Array(value.utf8))
    }

    /// A file.
    public static func file(
        _ name: String, filename: String, contentType: String = "application/octet-stream", _ bytes: [UInt8]
    ) -> TestPart {
        TestPart(name: name, filename: filename, contentType: contentType, bytes: bytes)
    }
}
