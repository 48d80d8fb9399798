import HTTPTypes
import SluiceStreaming
import Testing

@testable import SluiceMiddleware

/// Requests and responses are values: what a copy becomes the other one never sees.
@Suite struct ValueTests {
    private struct Failed: Error {}
    private enum Tenant: RequestKey { typealias Value = String }

    @Test("each part of a request's copy is its own")
    func request() {
        let changes: [(String, (inout Request) -> Void, (Request) -> String)] = [
            ("id", { $0.id = "other" }, { $0.id }),
            ("method", { $0.method = .delete }, { $0.method.rawValue }),
            ("rawPath", { $0.rawPath += "/b" }, { $0.rawPath }),
            ("rawQuery", { $0.rawQuery = "x" }, { $0.rawQuery }),
            ("scheme", { $0.scheme = "http" }, { $0.scheme }),
            ("authority", { $0.authority = "h" }, { $0.authority }),
            ("headers", { $0.headers[.accept] = "a/b" }, { "\($0.headers)" }),
            ("appended", { $0.headers.append(HTTPField(name: .age, value: "1")) }, { "\($0.headers)" }),
            ("body", { $0.body = "other" }, { "\($0.body.bytes ?? [])" }),
            ("parameters", { $0.parameters = Parameters([(name: "n", value: "1")]) }, { $0.parameters["n"] ?? "none" }),
            ("remoteAddress", { $0.remoteAddress = "::1" }, { $0.remoteAddress ?? "none" }),
            ("deadline", { $0.deadline = .now }, { "\($0.deadline == nil)" }),
            ("route", { $0.route = "/{a}" }, { $0.route ?? "none" }),
            ("key", { $0[Tenant.self] = "one" }, { $0[Tenant.self] ?? "none" }),
            ("frontEnd", { $0.frontEnd = 7 }, { "\($0.frontEnd == nil)" }),
        ]
        for (name, change, read) in changes {
            let original = Request(.get, "/a", headers: [.host: "a.example"], body: "text")
            let before = read(original)
            var copy = original
            change(&copy)
            #expect(read(original) == before, "\(name)")
            #expect(read(copy) != before, "\(name)")
            // A copy of the copy, and the only one: changed in place.
            var third = copy
            change(&third)
            #expect(read(original) == before, "\(name)")
        }
    }

    @Test("each part of a response's copy is its own")
    func response() {
        let changes: [(String, (inout Response) -> Void, (Response) -> String)] = [
            ("status", { $0.status = .created }, { "\($0.status.code)" }),
            ("headers", { $0.headers[.accept] = "a/b" }, { "\($0.headers)" }),
            ("body", { $0.body = "other" }, { $0.text }),
            ("error", { $0.error = Failed() }, { "\($0.error == nil)" }),
            ("isCut", { $0.isCut = true }, { "\($0.isCut)" }),
            ("route", { $0.route = "/{a}" }, { $0.route ?? "none" }),
            ("onEnd", { $0.onEnd { _ in } }, { "\($0.observers.count)" }),
            ("wrapBody", { $0.wrapBody { writer, body in try await body(writer) } }, { "\($0.wrappers.count)" }),
            ("recoveries", { $0.recoveries.append { _ in nil } }, { "\($0.recoveries.count)" }),
        ]
        for (name, change, read) in changes {
            let original = Response.text("text")
            let before = read(original)
            var copy = original
            change(&copy)
            #expect(read(original) == before, "\(name)")
            #expect(read(copy) != before, "\(name)")
        }
    }
}
