import Foundation
import HTTPTypes

@testable import Sluice
@_spi(JSON) @testable import SluiceCore
@testable import SluiceMiddleware
@testable import SluiceSentry
@testable import SluiceSessions

/// A law that does not hold.
struct Broken: Error { let law: String }

/// What reads an input; it may throw what its parser throws, and nothing that is a crash, a hang or a ``Broken``.
typealias Harness = @Sendable (_ input: [UInt8]) throws -> Void

let harnesses: [String: Harness] = [
    "multipart": { input in
        // The first byte says how much of the input is the boundary.
        let length = min(Int(input.first ?? 0) % 72, max(0, input.count - 1))
        let boundary = String(decoding: input.dropFirst().prefix(length), as: UTF8.self)
        var request = Request(.post, "/", body: .bytes(Array(input.dropFirst(1 + length))))
        request.headers[.contentType] = "multipart/form-data; boundary=\(boundary)"
        let parts = try request.multipart().parts
        let total = parts.reduce(0) { $0 + $1.bytes.count }
        guard total <= input.count else { throw Broken(law: "parts have no more bytes than the body") }
        _ = try request.form()
    },
    "form": { input in
        let request = Request(
            .post, "/", headers: [.contentType: "application/x-www-form-urlencoded"], body: .bytes(input))
        let form = try request.form()
        guard form.fields.count <= Form.fieldLimit else { throw Broken(law: "a form has no more than its limit of fields") }
        struct Page: Decodable {
            let n: Int?
            let tags: [String]?
            let since: Date?
            let open: Bool?
        }
        _ = try form.decode(Page.self)
    },
    "query": { input in
        let request = Request(.get, "/?" + String(decoding: input, as: UTF8.self))
        struct Page: Decodable { let n: [Double] }
        _ = request.query.fields
        _ = try request.query.decode(Page.self)
    },
    "cookies": { input in
        let text = String(decoding: input, as: UTF8.self)
        _ = Request(.get, "/", headers: [.cookie: text]).cookies.all
        let cookie = SetCookie(name: String(text.prefix(3)), value: String(text.dropFirst(3)))
        var response = Response()
        try response.setCookie(cookie)
        let read = Request(.get, "/", headers: [.cookie: "\(cookie.name)=\(cookie.value)"]).cookies[cookie.name]
        guard read == cookie.value else { throw Broken(law: "what is set is read") }
    },
    "accept": { input in
        let text = String(decoding: input, as: UTF8.self)
        let request = Request(.get, "/", headers: [.accept: text, .acceptEncoding: text])
        let types = ["text/html", "application/json", "image/*"]
        if let best = request.accepts("text/html", "application/json", "image/*"), !types.contains(best) {
            throw Broken(law: "what is accepted was offered")
        }
        for entry in QualityList(text).entries where !(0...1000).contains(entry.weight) {
            throw Broken(law: "a weight is from 0 to 1")
        }
        _ = MediaType(text)
    },
    "range": { input in
        let size = Int(input.first ?? 0) << 8 | Int(input.dropFirst().first ?? 0)
        if case .part(let part) = ByteRange(String(decoding: input.dropFirst(2), as: UTF8.self), of: size) {
            guard !part.isEmpty, part.lowerBound >= 0, part.upperBound <= size else { throw Broken(law: "a part lies within") }
        }
    },
    "conditions": { input in
        let text = String(decoding: input, as: UTF8.self)
        var request = Request(.get, "/")
        for name: HTTPField.Name in [.ifMatch, .ifNoneMatch, .ifModifiedSince, .ifUnmodifiedSince, .ifRange] {
            request.headers[name] = text
        }
        _ = Precondition.evaluate(request, tag: EntityTag("\"a\""), modified: .now)
        _ = Precondition.heedsRange(request, tag: EntityTag(text), modified: .now)
        if let date = HTTPDate.parse(text), HTTPDate.parse(HTTPDate.text(date)) != date {
            throw Broken(law: "a date that is read is written")
        }
    },
    "authorization": { input in
        let request = Request(.get, "/", headers: [.authorization: String(decoding: input, as: UTF8.self)])
        for scheme in ["Basic", "Bearer"] { _ = Credentials(request, scheme: scheme)?.token }
    },
    "path": { input in
        let path = "/" + String(decoding: input, as: UTF8.self)
        _ = PathPattern(path)
        _ = PercentEncoding.decode(path[...])
    },
    "event": { input in
        let event = try HTTPEvent(input)
        let request = try event.request(of: input, id: "id", deadline: nil)
        _ = (request.headers.count, request.cookies.all.count, request.query.fields.count, request.path)
    },
    "json": { input in
        let string = [0x22] + input + [0x22]
        let atOnce = JSONReader.read(string) { reader in
            reader.longBase64(from: 0).map { (text: Array($0.text.bytes), decoded: $0.decoded, end: reader.offset) }
        }
        if let atOnce {
            let (text, decoded, end) = try JSONReader.read(string) { (reader) throws(JSONError) in
                let text = try reader.text()
                return (Array(text.bytes), Base64.decode(text.bytes), reader.offset)
            }
            guard atOnce == (text, decoded ?? [0], end) else {
                throw Broken(law: "base64 that is read at once is read twice as well")
            }
        }
        // What the reader passes over whole, Foundation reads too, but for its limits of depth and of numbers.
        _ = try JSONReader.read(input) { (reader) throws(JSONError) in
            try reader.skip()
            try reader.end()
        }
    },
    "session": { input in
        let keys = try SigningKeys(String(repeating: "k", count: 32))
        let text = String(decoding: input, as: UTF8.self)
        if Request(.get, "/", headers: [.cookie: "a=\(text)"]).cookies.signed("a", by: keys) != nil {
            throw Broken(law: "nobody forges a signature")
        }
        var response = Response()
        try response.setSignedCookie(SetCookie(name: "a", value: text), keys)
        let pair = response.headers[.setCookie].map { String($0.prefix { $0 != ";" }) } ?? ""
        guard Request(.get, "/", headers: [.cookie: pair]).cookies.signed("a", by: keys) == text else {
            throw Broken(law: "what is signed is read")
        }
        _ = SessionValues(input)
    },
    "sentry": { input in
        let text = String(decoding: input, as: UTF8.self)
        _ = try? DSN(text)
        _ = SentryTrace.parseSentryTrace(text)
        _ = Baggage(text)
        _ = Baggage.header(existing: text, adding: [("a", "b")])
        var limits = SentryRateLimits()
        limits.update(status: 429, limits: text, retryAfter: text, now: .now)
    },
]

private let harness: Harness = {
    let name = ProcessInfo.processInfo.environment["FUZZ"] ?? ""
    guard let harness = harnesses[name] else {
        FileHandle.standardError.write(Data("FUZZ: one of \(harnesses.keys.sorted().joined(separator: " "))\n".utf8))
        exit(2)
    }
    return harness
}()

@_silgen_name("LLVMFuzzerRunDriver")
private func run(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main
struct Main {
    static func main() {
        _ = harness
        var (count, arguments) = (CommandLine.argc, CommandLine.unsafeArgv)
        exit(run(&count, &arguments, fuzz))
    }
}

private func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try harness(Array(UnsafeBufferPointer(start: bytes, count: count)))
    } catch let broken as Broken {
        fatalError("the law does not hold: \(broken.law)")
    } catch {
        // Refused: that is what parsers do with bad input.
    }
    return 0
}
